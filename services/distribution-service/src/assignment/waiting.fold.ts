import { LIMITS } from '@baton/contracts';
import type { BacklogAnswer, BacklogRequest, QueuedTask } from '@baton/contracts';
import { signatureOf, type FleetIndex } from '../engine/signatures.fold.js';
import type { Fleet } from '../fleet/fleet.state.js';
import { isHeldBack } from '../fleet/holds.fold.js';
import { isOurTurn, neighboursWithRoom } from '../shards/turns.decide.js';
import { compareTasks, positionOf } from './task.order.js';
import { createWaiting, insert, restart, TASKS_KEPT_PER_CLASS } from './waiting.state.js';
import type { WaitingClass, WaitingClasses } from './waiting.state.js';

/** What became of a task that was looked at. */
export type Tried = 'placed' | 'known' | 'passed_over' | 'no_room';

const TASKS_KEPT = 10_000;
const PASS_MS = 5_000;
const CLASSES_ASKED = 200;

/** A task of a class waits. Where nothing of its class waited, it is taken to be all that does. */
export function addWaiting(waiting: WaitingClasses, task: QueuedTask, fleet: Fleet, now: number): void {
  const known = waiting.get(task.needs.backlogClass);
  const state = known ?? createWaiting(waiting, task, { more: false }, fleet, now);
  state.heard.add(task);
  insert(state, task);
}

/** The database names this task as the best of its class: if that is news, the class is read from the start. */
export function discover(waiting: WaitingClasses, task: QueuedTask, fleet: Fleet, now: number): void {
  const known = waiting.get(task.needs.backlogClass);
  if (known === undefined) createWaiting(waiting, task, { more: true }, fleet, now);
  else if (!known.more && !known.passedOver && !isRead(known, task)) restart(known, fleet, now);
}

function isRead({ ahead, left }: WaitingClass, task: QueuedTask): boolean {
  return ahead.some(({ id }) => id === task.id) || left.some(({ id }) => id === task.id);
}

/** Whether tasks of a class take turns, so that a new one has to take its own. */
export function isTakingTurns(waiting: WaitingClasses, backlogClass: string): boolean {
  const state = waiting.get(backlogClass);
  return state !== undefined && (state.more || state.ahead.length > 0);
}

/** What to ask of the backlog now: classes of which nothing is read ahead and some agent has room for. */
export function planReading(
  waiting: WaitingClasses,
  index: FleetIndex,
  now: number,
): NonNullable<BacklogRequest['classes']> {
  const { fleet } = index;
  const plan: { state: WaitingClass; room: number }[] = [];
  for (const state of waiting.values()) {
    if (isRestartDue(state, fleet, now)) restart(state, fleet, now);
    if (!state.more || state.ahead.length > 0) continue;
    const room = roomFor(state, index);
    if (room > 0) plan.push({ state, room });
    if (plan.length === CLASSES_ASKED) break;
  }
  if (plan.length === CLASSES_ASKED) askLastNextTime(waiting, plan);
  // An answer must fit into one message.
  const share = Math.floor(LIMITS.agentItems / plan.length);
  return plan.map(({ state, room }) => {
    state.late = [];
    const asked = { backlogClass: state.asked.needs.backlogClass, limit: Math.min(share, 2 * room + 50) };
    return state.cursor === undefined ? asked : { ...asked, after: state.cursor };
  });
}

/** Takes in what the backlog answered. */
export function takePages(
  waiting: WaitingClasses,
  asked: readonly { readonly backlogClass: string }[],
  answer: BacklogAnswer['classes'],
): void {
  const pages = new Map(answer.map((page) => [page.backlogClass, page]));
  for (const { backlogClass } of asked) {
    const state = waiting.get(backlogClass);
    if (state === undefined) continue;
    const { tasks = [], more = false } = pages.get(backlogClass) ?? {};
    const last = tasks.at(-1);
    state.ahead.push(...tasks);
    // A page without tasks is the end, whatever it says: there is no position to read on from.
    state.more = more && last !== undefined;
    if (last !== undefined) state.cursor = positionOf(last);
    const { late = [] } = state;
    state.late = undefined;
    for (const task of late) insert(state, task);
    if (late.length === TASKS_KEPT_PER_CLASS) state.more = true;
  }
}

/**
 * Tries the tasks read ahead, best first over all classes, until there is no room or none is left. Answers whether
 * some class has room and must be read on: its next task may be better than those of others, so all wait for it.
 * Of what was read, tasks that are other distributors' in this `turn` are left to them.
 */
export function tryAhead(
  waiting: WaitingClasses,
  index: FleetIndex,
  turn: number,
  attempt: (task: QueuedTask) => Tried,
): boolean {
  const { fleet } = index;
  const roomOf = (state: WaitingClass) => roomFor(state, index);
  const withRoom = new Map<WaitingClass, ReadonlySet<string>>();
  const isOurs = (state: WaitingClass, task: QueuedTask) => {
    const rivals = withRoom.get(state) ?? neighboursWithRoom(fleet, signatureOf(index, state.asked));
    withRoom.set(state, rivals);
    return state.heard.has(task) || isOurTurn(fleet, rivals, task.id, turn);
  };
  const tryOne = (state: WaitingClass, task: QueuedTask) => (roomOf(state) === 0 ? 'no_room' : attempt(task));
  const active = new Set<WaitingClass>();
  for (const state of waiting.values()) {
    if (roomOf(state) === 0) continue;
    takeBack(state, { turn, filled: fleet.filled }, (task) => isOurs(state, task));
    if (state.ahead.length > 0) active.add(state);
  }
  for (let best = bestOf(active); best !== undefined; best = bestOf(active)) {
    const { state, task } = best;
    const tried = isOurs(state, task) ? tryOne(state, task) : leave(state, task);
    if (tried === 'no_room') {
      active.delete(state);
      continue;
    }
    state.ahead.shift();
    if (tried === 'passed_over') state.passedOver = true;
    if (state.ahead.length > 0) continue;
    active.delete(state);
    if (state.more && roomOf(state) > 0) return true;
  }
  dropDone(waiting, fleet);
  return false;
}

/** How many tasks of a class could be bound now: none while its type is held back. */
function roomFor({ asked }: WaitingClass, index: FleetIndex): number {
  return isHeldBack(index.fleet, asked.type) ? 0 : signatureOf(index, asked).own.room;
}

function leave(state: WaitingClass, task: QueuedTask): Tried | 'left' {
  if (state.left.length === TASKS_KEPT_PER_CLASS) return 'no_room';
  state.left.push(task);
  return 'left';
}

/**
 * In a new turn what was left to others may be ours, and, when there is nothing else to try, where one of theirs got
 * full. It is not looked at every time a slot is freed: that is O(what is left, and agents of others).
 */
function takeBack(
  state: WaitingClass,
  { turn, filled }: Pick<WaitingClass, 'turn' | 'filled'>,
  isOurs: (task: QueuedTask) => boolean,
): void {
  if (state.turn === turn && (state.ahead.length > 0 || state.filled === filled)) return;
  const { left } = state;
  Object.assign(state, { turn, filled });
  state.left = [];
  for (const task of left) {
    if (isOurs(task)) insert(state, task);
    else state.left.push(task);
  }
}

function bestOf(active: ReadonlySet<WaitingClass>): { state: WaitingClass; task: QueuedTask } | undefined {
  let best: { state: WaitingClass; task: QueuedTask } | undefined;
  for (const state of active) {
    const task = state.ahead[0];
    if (task !== undefined && (best === undefined || compareTasks(task, best.task) < 0))
      best = { state, task };
  }
  return best;
}

/** A class of which nothing waits is forgotten; so is what was read ahead where all of it grows too large. */
function dropDone(waiting: WaitingClasses, fleet: Fleet): void {
  let kept = 0;
  for (const [backlogClass, state] of waiting) {
    kept += state.ahead.length + state.left.length;
    if (kept > TASKS_KEPT) restart(state, fleet, state.startedAt);
    const isDone = state.ahead.length === 0 && state.left.length === 0 && !state.more && !state.passedOver;
    if (isDone) waiting.delete(backlogClass);
  }
}

function isRestartDue(state: WaitingClass, fleet: Fleet, now: number): boolean {
  if (now - state.startedAt >= PASS_MS) return true;
  if (!state.passedOver) return false;
  const hasEnded = !state.more && state.ahead.length === 0;
  return state.generation !== fleet.generation || (hasEnded && state.freed !== fleet.freed);
}

function askLastNextTime(waiting: WaitingClasses, plan: readonly { readonly state: WaitingClass }[]): void {
  for (const { state } of plan) {
    waiting.delete(state.asked.needs.backlogClass);
    waiting.set(state.asked.needs.backlogClass, state);
  }
}
