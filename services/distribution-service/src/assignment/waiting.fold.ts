import { LIMITS } from '@baton/contracts';
import type { BacklogAnswer, BacklogCursor, BacklogRequest, QueuedTask } from '@baton/contracts';
import type { Fleet } from '../fleet/fleet.state.js';
import { classAgents, classNeedsOf, classRoom, type ClassIndex, type ClassNeeds } from './classes.fold.js';

/** Where the reading of a class of waiting tasks stands. The tasks themselves stay in the database. */
type WaitingClass = {
  readonly needs: ClassNeeds;
  /** Read on behind this task; from the start when there is none. */
  cursor: BacklogCursor | undefined;
  /** The first of the tasks that came since the latest reading was asked for. */
  arrived: BacklogCursor | undefined;
  /** Whether this pass left a task behind that no agent with room may do. */
  passedOver: boolean;
  /** The pass came to the end and left tasks behind: nothing to do until something changes. */
  ended: boolean;
  startedAt: number;
  generation: number;
  freed: number;
};
export type WaitingClasses = Map<string, WaitingClass>;

/** What became of a task read from the backlog. */
export type Tried = 'placed' | 'known' | 'passed over' | 'no room';

const CLASSES_KEPT = 10_000;
const PASS_MS = 5_000;
const CLASSES_ASKED = 200;
// How many tasks to read beyond the free slots where some that nobody may take stand at the head.
const READ_PAST = 50;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** A task of this class waits: the class is read again, from this task on at the latest. */
export function markWaiting(waiting: WaitingClasses, task: QueuedTask, fleet: Fleet, now: number): void {
  const key = task.needs.backlogClass;
  const known = waiting.get(key) ?? createWaiting(classNeedsOf(task.needs), fleet, now);
  if (!waiting.has(key)) makeRoom(waiting);
  waiting.set(key, known);
  const position = { queueKey: task.needs.queueKey, id: task.id };
  if (known.arrived === undefined || isBefore(position, known.arrived)) known.arrived = position;
}

/** Whether the backlog is being read for a class, so that a new task of it has to take its turn there. */
export function isBeingRead(waiting: WaitingClasses, backlogClass: string): boolean {
  const state = waiting.get(backlogClass);
  return state !== undefined && !state.ended;
}

/** What to ask of the backlog now: the classes some agent with room could serve. */
export function planReading(
  waiting: WaitingClasses,
  classes: ClassIndex,
  fleet: Fleet,
  now: number,
): NonNullable<BacklogRequest['classes']> {
  const plan: { state: WaitingClass; room: number }[] = [];
  for (const state of waiting.values()) {
    if (isRestartDue(state, fleet, now)) restart(state, fleet, now);
    if (state.ended) continue;
    const room = classRoom(classAgents(classes, fleet, state.needs));
    if (room > 0) plan.push({ state, room });
    if (plan.length === CLASSES_ASKED) break;
  }
  // One answer must fit into a message, and the best of all classes is known only as far as each was read.
  const share = Math.floor(LIMITS.agentItems / plan.length);
  return plan.map(({ state, room }) => {
    rewind(state);
    const limit = Math.min(share, room + (state.passedOver ? READ_PAST : 0));
    const { backlogClass } = state.needs;
    return state.cursor === undefined
      ? { backlogClass, limit }
      : { backlogClass, limit, after: state.cursor };
  });
}

/**
 * Tries the tasks of an answer, best first over all classes, and moves the cursors past those that need no
 * further try. A class without room stands still; where a class was read to the end of its page and has more
 * that could be placed, all stop, as its next task may be better than theirs.
 */
export function readAnswer(
  waiting: WaitingClasses,
  asked: readonly { readonly backlogClass: string }[],
  answer: BacklogAnswer['classes'],
  attempt: (task: QueuedTask) => Tried,
): void {
  const pages = new Map(
    // A page without tasks is the end, whatever it says: there is no position to read on from.
    answer.map(({ backlogClass, tasks, more }) => [
      backlogClass,
      { left: tasks.length, more: more && tasks.length > 0 },
    ]),
  );
  const standing = new Set<string>();
  for (const task of answer.flatMap(({ tasks }) => tasks).toSorted(compareTasks)) {
    const key = task.needs.backlogClass;
    const state = waiting.get(key);
    const page = pages.get(key);
    if (state === undefined || page === undefined || standing.has(key)) continue;
    const tried = attempt(task);
    if (tried === 'no room') {
      standing.add(key);
      continue;
    }
    if (tried === 'passed over') state.passedOver = true;
    state.cursor = { queueKey: task.needs.queueKey, id: task.id };
    page.left -= 1;
    if (page.left === 0 && page.more) break;
  }
  for (const { backlogClass } of asked) {
    const page = pages.get(backlogClass);
    const state = waiting.get(backlogClass);
    const isAtEnd = page === undefined || (page.left === 0 && !page.more);
    if (state !== undefined && isAtEnd) endPass(waiting, state);
  }
}

function endPass(waiting: WaitingClasses, state: WaitingClass): void {
  if (state.arrived !== undefined) return;
  if (state.passedOver) state.ended = true;
  else waiting.delete(state.needs.backlogClass);
}

function createWaiting(needs: ClassNeeds, fleet: Fleet, now: number): WaitingClass {
  const { generation, freed } = fleet;
  const start = { cursor: undefined, arrived: undefined, passedOver: false, ended: false };
  return { needs, ...start, startedAt: now, generation, freed };
}

function isRestartDue(state: WaitingClass, fleet: Fleet, now: number): boolean {
  if (state.generation !== fleet.generation) return true;
  if (state.ended && state.freed !== fleet.freed) return true;
  return now - state.startedAt >= PASS_MS;
}

function restart(state: WaitingClass, fleet: Fleet, now: number): void {
  state.cursor = undefined;
  state.passedOver = false;
  state.ended = false;
  state.startedAt = now;
  state.generation = fleet.generation;
  state.freed = fleet.freed;
}

function rewind(state: WaitingClass): void {
  const { arrived, cursor } = state;
  state.arrived = undefined;
  if (arrived === undefined || cursor === undefined || !isBefore(arrived, cursor)) return;
  state.cursor = { queueKey: arrived.queueKey, id: FIRST_ID };
}

/** The oldest mark goes: the next discovery finds the class again. */
function makeRoom(waiting: WaitingClasses): void {
  if (waiting.size < CLASSES_KEPT) return;
  for (const oldest of waiting.keys()) {
    waiting.delete(oldest);
    return;
  }
}

/** The order in which tasks get agents: by queue key, then id. */
export function compareTasks(one: QueuedTask, other: QueuedTask): number {
  const difference = one.needs.queueKey - other.needs.queueKey;
  if (difference !== 0) return difference;
  return one.id < other.id ? -1 : 1;
}

function isBefore(one: BacklogCursor, other: BacklogCursor): boolean {
  return one.queueKey < other.queueKey || (one.queueKey === other.queueKey && one.id <= other.id);
}
