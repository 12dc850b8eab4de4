import type { BacklogCursor, QueuedTask } from '@baton/contracts';
import { classOf, type SignatureTask } from '../engine/signatures.fold.js';
import type { Fleet } from '../fleet/fleet.state.js';
import { compareTasks, isBehind, positionOf } from './task.order.js';

/** Where the reading of a class of waiting tasks stands. The tasks as such stay in the database. */
export type WaitingClass = {
  readonly asked: SignatureTask;
  /** What waits up to the cursor, best first, without what was passed over: read ahead, to be tried next. */
  ahead: QueuedTask[];
  /** Those that were heard of by events, which came to this distributor alone. */
  heard: WeakSet<QueuedTask>;
  /** What was read ahead and is another distributor's to take in this turn. */
  left: QueuedTask[];
  /** In which turn, and after how many agents got full, it was last looked at whether that is ours now. */
  turn: number;
  filled: number;
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
/** By class. */
export type WaitingClasses = Map<string, WaitingClass>;

/** How many tasks of a class are kept in memory: read ahead, come meanwhile, or left to others. */
export const TASKS_KEPT_PER_CLASS = 500;
const CLASSES_KEPT = 10_000;

/** A class of which nothing is read yet, with the needs of this task; `more`: tasks of it may wait. */
export function createWaiting(
  waiting: WaitingClasses,
  task: QueuedTask,
  { more }: { readonly more: boolean },
  fleet: Fleet,
  startedAt: number,
): WaitingClass {
  const asked = classOf(task);
  const { generation, freed } = fleet;
  const empty = {
    ahead: [],
    heard: new WeakSet<QueuedTask>(),
    left: [],
    turn: 0,
    filled: 0,
    cursor: undefined,
  };
  const state: WaitingClass = {
    asked,
    ...empty,
    more,
    late: undefined,
    passedOver: false,
    startedAt,
    generation,
    freed,
  };
  // The mark not asked for longest goes: the next discovery finds the class again.
  const [oldest] = waiting.size < CLASSES_KEPT ? [] : waiting.keys();
  if (oldest !== undefined) waiting.delete(oldest);
  waiting.set(asked.needs.backlogClass, state);
  return state;
}

/** What was read is forgotten, and the class is read from the start. */
export function restart(state: WaitingClass, fleet: Fleet, now: number): void {
  state.ahead = [];
  state.left = [];
  state.cursor = undefined;
  state.more = true;
  state.passedOver = false;
  state.startedAt = now;
  state.generation = fleet.generation;
  state.freed = fleet.freed;
}

/** Puts a task in its place in what was read ahead, unless it is still to be read. */
export function insert(state: WaitingClass, task: QueuedTask): void {
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
