import { LIMITS } from '@baton/contracts';
import type { BacklogAnswer, BacklogCursor, BacklogRequest, QueuedTask } from '@baton/contracts';
import type { Fleet } from '../fleet/fleet.state.js';
import { classAgents, classNeedsOf, classRoom, type ClassIndex, type ClassNeeds } from './classes.fold.js';

/** Where the reading of a class of waiting tasks stands. The tasks as such stay in the database. */
type WaitingClass = {
  readonly needs: ClassNeeds;
  /** What waits up to the cursor, best first, without what was passed over: read ahead, to be tried next. */
  ahead: QueuedTask[];
  /** Read on behind this task; from the start when there is none. */
  cursor: BacklogCursor | undefined;
  /** Whether more may wait behind the cursor. If not, `ahead` is all that waits. */
  more: boolean;
  /** What came behind the cursor while a page is being read, which may or may not have it. */
  late: QueuedTask[] | undefined;
  /** Whether this pass left a task behind that no agent with room may do. */
  passedOver: boolean;
  startedAt: number;
  generation: number;
  freed: number;
};
export type WaitingClasses = Map<string, WaitingClass>;

/** What became of a task that was looked at. */
export type Tried = 'placed' | 'known' | 'passed_over' | 'no_room';

const CLASSES_KEPT = 10_000;
const TASKS_KEPT_PER_CLASS = 500;
const TASKS_KEPT = 10_000;
const PASS_MS = 5_000;
const CLASSES_ASKED = 200;

/** A task of a class waits. Where nothing of its class waited, it is taken to be all that does. */
export function addWaiting(waiting: WaitingClasses, task: QueuedTask, fleet: Fleet, now: number): void {
  const known = waiting.get(task.needs.backlogClass);
  if (known !== undefined) return insert(known, task);
  insert(createWaiting(waiting, task, { more: false }, fleet, now), task);
}

/** The database names this task as the best of its class: if that is news, the class is read from the start. */
export function discover(waiting: WaitingClasses, task: QueuedTask, fleet: Fleet, now: number): void {
  const known = waiting.get(task.needs.backlogClass);
  if (known === undefined) createWaiting(waiting, task, { more: true }, fleet, now);
  else if (!known.more && !known.passedOver && !known.ahead.some(({ id }) => id === task.id)) {
    restart(known, fleet, now);
  }
}

/** Whether tasks of a class take turns, so that a new one has to take its own. */
export function isTakingTurns(waiting: WaitingClasses, backlogClass: string): boolean {
  const state = waiting.get(backlogClass);
  return state !== undefined && (state.more || state.ahead.length > 0);
}

/** What to ask of the backlog now: classes of which nothing is read ahead and some agent has room for. */
export function planReading(
  waiting: WaitingClasses,
  classes: ClassIndex,
  fleet: Fleet,
  now: number,
): NonNullable<BacklogRequest['classes']> {
  const plan: { state: WaitingClass; room: number }[] = [];
  for (const state of waiting.values()) {
    if (isRestartDue(state, fleet, now)) restart(state, fleet, now);
    if (!state.more || state.ahead.length > 0) continue;
    const room = classRoom(classAgents(classes, fleet, state.needs));
    if (room > 0) plan.push({ state, room });
    if (plan.length === CLASSES_ASKED) break;
  }
  if (plan.length === CLASSES_ASKED) askLastNextTime(waiting, plan);
  // An answer must fit into one message.
  const share = Math.floor(LIMITS.agentItems / plan.length);
  return plan.map(({ state, room }) => {
    state.late = [];
    const asked = { backlogClass: state.needs.backlogClass, limit: Math.min(share, 2 * room + 50) };
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
 */
export function tryAhead(
  waiting: WaitingClasses,
  classes: ClassIndex,
  fleet: Fleet,
  attempt: (task: QueuedTask) => Tried,
): boolean {
  const roomOf = (state: WaitingClass) => classRoom(classAgents(classes, fleet, state.needs));
  const active = new Set<WaitingClass>();
  for (const state of waiting.values()) if (state.ahead.length > 0 && roomOf(state) > 0) active.add(state);
  for (let best = bestOf(active); best !== undefined; best = bestOf(active)) {
    const { state, task } = best;
    const tried = roomOf(state) === 0 ? 'no_room' : attempt(task);
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
    kept += state.ahead.length;
    if (kept > TASKS_KEPT) restart(state, fleet, state.startedAt);
    if (state.ahead.length === 0 && !state.more && !state.passedOver) waiting.delete(backlogClass);
  }
}

function insert(state: WaitingClass, task: QueuedTask): void {
  const { ahead, cursor } = state;
  if (state.more && (cursor === undefined || isBehind(task, cursor))) {
    if (state.late !== undefined && state.late.length < TASKS_KEPT_PER_CLASS) state.late.push(task);
    return;
  }
  let place = ahead.length;
  while (place > 0 && compareTasks(task, ahead[place - 1] as QueuedTask) < 0) place -= 1;
  const isNews = ahead[place - 1]?.id !== task.id;
  // The same task again may be a later version of it.
  ahead.splice(isNews ? place : place - 1, isNews ? 0 : 1, task);
  if (ahead.length <= TASKS_KEPT_PER_CLASS) return;
  ahead.pop();
  state.cursor = positionOf(ahead.at(-1) as QueuedTask);
  state.more = true;
}

function createWaiting(
  waiting: WaitingClasses,
  task: QueuedTask,
  { more }: { readonly more: boolean },
  fleet: Fleet,
  startedAt: number,
): WaitingClass {
  const needs = classNeedsOf(task.needs);
  const { generation, freed } = fleet;
  const start = { ahead: [], cursor: undefined, more, late: undefined, passedOver: false };
  const state: WaitingClass = { needs, ...start, startedAt, generation, freed };
  // The mark not asked for longest goes: the next discovery finds the class again.
  const [oldest] = waiting.size < CLASSES_KEPT ? [] : waiting.keys();
  if (oldest !== undefined) waiting.delete(oldest);
  waiting.set(needs.backlogClass, state);
  return state;
}

function isRestartDue(state: WaitingClass, fleet: Fleet, now: number): boolean {
  if (now - state.startedAt >= PASS_MS) return true;
  if (!state.passedOver) return false;
  const hasEnded = !state.more && state.ahead.length === 0;
  return state.generation !== fleet.generation || (hasEnded && state.freed !== fleet.freed);
}

function restart(state: WaitingClass, fleet: Fleet, now: number): void {
  state.ahead = [];
  state.cursor = undefined;
  state.more = true;
  state.passedOver = false;
  state.startedAt = now;
  state.generation = fleet.generation;
  state.freed = fleet.freed;
}

function askLastNextTime(waiting: WaitingClasses, plan: readonly { readonly state: WaitingClass }[]): void {
  for (const { state } of plan) {
    waiting.delete(state.needs.backlogClass);
    waiting.set(state.needs.backlogClass, state);
  }
}

/** The order in which tasks get agents: by queue key, then id. */
export function compareTasks(one: QueuedTask, other: QueuedTask): number {
  const difference = one.needs.queueKey - other.needs.queueKey;
  if (difference !== 0) return difference;
  if (one.id === other.id) return 0;
  return one.id < other.id ? -1 : 1;
}

function positionOf(task: QueuedTask): BacklogCursor {
  return { queueKey: task.needs.queueKey, id: task.id };
}

function isBehind({ id, needs }: QueuedTask, cursor: BacklogCursor): boolean {
  return needs.queueKey > cursor.queueKey || (needs.queueKey === cursor.queueKey && id > cursor.id);
}
