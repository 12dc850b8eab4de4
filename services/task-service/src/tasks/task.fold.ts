import type { MutableSettings, Task, TaskBookkeeping, TaskDefinition, TaskProgression } from './task.js';

/** What replay gives back: everything but payload and bookkeeping. */
export type ReplayedTask = Omit<Task, keyof TaskBookkeeping>;

const PROGRESSION_KEYS = [
  'status',
  'statusReason',
  'priority',
  'assignedTo',
  'holderEpoch',
  'lastAgentId',
  'attempt',
  'retryCount',
  'lostCount',
  'handoverCount',
  'excludedAgents',
  'skippedAgents',
  'firstQueuedAt',
  'queuedAt',
  'availableAt',
  'assignedAt',
  'startedAt',
  'completedAt',
  'actualDuration',
  'queueKey',
  'backlogClass',
  'awaitedChildren',
  'pinnedTo',
  'pinnedUntil',
  'delegationChain',
  'returnTo',
  'error',
] as const satisfies readonly (keyof TaskProgression)[];

/** The fields an accepted change moved; the first event of a task has all of them. */
export type Changes = Partial<TaskProgression> & Partial<TaskDefinition>;

/** One stored event as replay reads it. */
export type ReplayEvent = { readonly version: number; readonly at: number; readonly changes: Changes };

const SETTINGS_KEYS = [
  'requiredCapabilities',
  'preferredCapabilities',
  'criteria',
  'needsClass',
  'maxRetries',
  'retryPolicy',
  'timeout',
  'startTimeout',
  'queueTimeout',
  'progressTimeout',
  'deadline',
] as const satisfies readonly (keyof MutableSettings | 'needsClass')[];
const CHANGING_KEYS = [...PROGRESSION_KEYS, ...SETTINGS_KEYS];

/** The fields that differ. Lists are compared by identity: decide keeps the list it does not change. */
export function changesBetween(before: Task, after: Task): Changes {
  const changes: Record<string, unknown> = {};
  for (const key of CHANGING_KEYS) if (before[key] !== after[key]) changes[key] = after[key];
  return changes;
}

/** All fields of a new task but payload and bookkeeping. */
export function changesOfNew(task: Task): Changes {
  const { dueAt, offerTries, offerAcceptedAt, version, updatedAt, ...changes } = task;
  void [dueAt, offerTries, offerAcceptedAt, version, updatedAt];
  return changes;
}

/** Fields that events of earlier versions do not know. */
const ABSENT_BEFORE: Partial<ReplayedTask> = {
  pinnedTo: null,
  pinnedUntil: null,
  delegationChain: [],
  returnTo: null,
  budget: null,
};

/** Applies events in order of version to nothing, or to the task as of an earlier version. */
export function replay(events: readonly ReplayEvent[], from?: ReplayedTask): ReplayedTask | undefined {
  let task = from ?? (ABSENT_BEFORE as ReplayedTask);
  if (from === undefined && events.length === 0) return undefined;
  for (const event of events) {
    task = { ...task, ...event.changes, version: event.version, updatedAt: event.at };
  }
  return task;
}
