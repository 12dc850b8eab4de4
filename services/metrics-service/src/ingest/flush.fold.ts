import type { TaskEvent } from '@baton/contracts';
import { addFacts, noFacts, type Facts } from './task-facts.fold.js';
import { stateOf, type TaskState } from './task-state.fold.js';

/** Ended tasks are known for so long. */
export const TASK_KEPT_DAYS = 30;
const FORGOTTEN_AFTER_MS = TASK_KEPT_DAYS * 86_400_000;

/** What is known of a task: which of its events are counted, and what the latest of them told. */
export type KnownTask = TaskState & {
  /** Every event up to this version is counted, */
  readonly version: number;
  /** and these beyond it, which came early. */
  readonly ahead: readonly number[];
};

/** What a batch of events changes. */
export type Flush = {
  /** The tasks of new events, as they are known now. */
  readonly tasks: readonly KnownTask[];
  readonly totals: readonly Total[];
  readonly facts: Facts;
  /** How many events were new. */
  readonly counted: number;
  /** Seconds from assignment to end of each task newly completed. */
  readonly durations: readonly number[];
};

/** How many tasks more, or fewer, are in a state. */
export type Total = Pick<TaskState, 'status' | 'type' | 'priority' | 'agent'> & { readonly tasks: number };

/**
 * What these events change, in whatever order and however often they come: an event that is counted already changes
 * nothing, and the state of a task is what the latest version tells.
 */
export function foldEvents(events: Iterable<TaskEvent>, known: ReadonlyMap<string, KnownTask>): Flush {
  const tasks = new Map<string, KnownTask>();
  const facts = noFacts();
  const durations: number[] = [];
  let counted = 0;
  for (const event of events) {
    const before = tasks.get(event.subject) ?? known.get(event.subject);
    if (before && isCounted(before, event.taskversion)) continue;
    tasks.set(event.subject, withEvent(before, event));
    addFacts(facts, event);
    counted += 1;
    const { assignedAt, completedAt } = event.data;
    if (event.type === 'task.completed' && assignedAt !== null) {
      durations.push((Date.parse(completedAt ?? event.time) - Date.parse(assignedAt)) / 1_000);
    }
  }
  return { tasks: [...tasks.values()], totals: totalsOf(tasks, known), facts, counted, durations };
}

/** The latest version that is counted. */
function latestVersion({ version, ahead }: Pick<KnownTask, 'version' | 'ahead'>): number {
  return Math.max(version, ...ahead);
}

function isCounted({ version, ahead }: KnownTask, candidate: number): boolean {
  return candidate <= version || ahead.includes(candidate);
}

function withEvent(before: KnownTask | undefined, event: TaskEvent): KnownTask {
  let version = before?.version ?? forgottenVersion(event);
  const early = before?.ahead ?? [];
  // Nearly every event is the next one of its task.
  if (early.length === 0 && event.taskversion === version + 1)
    return { ...stateOf(event), version: event.taskversion, ahead: early };
  const all = new Set([...early, event.taskversion]);
  while (all.delete(version + 1)) version += 1;
  const isLatest = before === undefined || event.taskversion > latestVersion(before);
  return { ...(isLatest ? stateOf(event) : before), version, ahead: [...all] };
}

/** A task nobody knows, that lived for longer than ended ones are known, was counted up to now and forgotten. */
function forgottenVersion({ time, taskversion, data }: TaskEvent): number {
  return Date.parse(time) - Date.parse(data.createdAt) > FORGOTTEN_AFTER_MS ? taskversion - 1 : 0;
}

function totalsOf(
  tasks: ReadonlyMap<string, KnownTask>,
  known: ReadonlyMap<string, KnownTask>,
): readonly Total[] {
  const totals = new Map<string, { total: Omit<Total, 'tasks'>; tasks: number }>();
  const add = ({ status, type, priority, agent }: KnownTask, by: number): void => {
    const key = `${status} ${type} ${priority} ${agent}`;
    const found = totals.get(key) ?? { total: { status, type, priority, agent }, tasks: 0 };
    totals.set(key, { ...found, tasks: found.tasks + by });
  };
  for (const [id, task] of tasks) {
    add(task, 1);
    const before = known.get(id);
    if (before) add(before, -1);
  }
  return [...totals.values()].flatMap(({ total, tasks: by }) => (by === 0 ? [] : [{ ...total, tasks: by }]));
}
