import { DomainError, PRIORITY_OFFSET_SECONDS } from '@baton/contracts';
import { nextDue } from './due.policy.js';
import { ownPin, pinClass, type Pinned } from './pin.policy.js';
import type { ArrowName, EventOf } from './task.state.js';
import type { Changed, MutableSettings, Task, TaskProgression } from './task.js';

/** An accepted change: the next version, with its bookkeeping set anew; out of the backlog unless `changes` say else. */
export function changed<Name extends ArrowName>(
  task: Task,
  arrow: Name,
  event: EventOf<Name>,
  now: number,
  changes: Partial<TaskProgression & MutableSettings & Pick<Task, 'needsClass'>>,
  more: Pick<Changed, 'detail' | 'result' | 'tell' | 'described'> = {},
): Changed {
  const next = {
    ...task,
    backlogClass: null,
    ...changes,
    offerTries: 0,
    offerAcceptedAt: null,
    version: task.version + 1,
    updatedAt: now,
  };
  if (next.status !== 'queued') Object.assign(next, UNPINNED);
  return { outcome: 'changed', task: scheduled(next), arrow, event, ...more };
}

const UNPINNED = { pinnedTo: null, pinnedUntil: null };

/** The task with `dueAt` as its limits now say. */
export function scheduled(task: Task): Task {
  return { ...task, dueAt: nextDue(task)?.at ?? null };
}

/** Fields of a task that is (again) to be taken `delayMs` from now: by the agent it is pinned to, else by anyone. */
export function queued(
  task: Task,
  reason: string,
  now: number,
  delayMs: number,
  pin: Pinned | null = ownPin(task, now + delayMs),
) {
  const readyClass = pin === null ? task.needsClass : pinClass(pin.agentId);
  return {
    status: 'queued',
    statusReason: reason,
    awaitedChildren: null,
    assignedTo: null,
    assignedAt: null,
    startedAt: null,
    queuedAt: now,
    firstQueuedAt: task.firstQueuedAt ?? now,
    queueKey: task.queueKey ?? queueKey(task, now),
    availableAt: delayMs > 0 ? now + delayMs : null,
    backlogClass: delayMs > 0 ? null : readyClass,
    pinnedTo: pin?.agentId ?? null,
    pinnedUntil: pin?.until ?? null,
  } satisfies Partial<TaskProgression>;
}

/** How long a task must still wait for its own `availableAt`. */
export function remaining(task: Task, now: number): number {
  return task.availableAt === null ? 0 : Math.max(0, task.availableAt - now);
}

/** Where a task of its priority stands in the backlog that first became ready then. */
export function queueKey(task: Pick<Task, 'priority'>, firstQueuedAt: number): number {
  return firstQueuedAt + PRIORITY_OFFSET_SECONDS[task.priority] * 1_000;
}

/** Fields of a task that an agent was just given. It goes back to nobody if that is not who it was handed to. */
export function given(task: Task, agentId: string, now: number) {
  const isTarget = task.pinnedTo === agentId || task.lastAgentId === agentId;
  return {
    status: 'assigned',
    statusReason: null,
    assignedTo: agentId,
    lastAgentId: agentId,
    holderEpoch: null,
    attempt: task.attempt + 1,
    handoverCount: task.handoverCount + 1,
    assignedAt: now,
    startedAt: null,
    availableAt: null,
    returnTo: isTarget ? task.returnTo : null,
  } satisfies Partial<TaskProgression>;
}

/** Fields of a task that has ended. */
export function ended(
  status: 'completed' | 'failed' | 'cancelled',
  reason: string | null,
  task: Task,
  now: number,
) {
  const begun = task.startedAt ?? task.assignedAt;
  return {
    status,
    statusReason: reason,
    awaitedChildren: null,
    assignedTo: null,
    completedAt: now,
    availableAt: null,
    actualDuration: begun === null ? null : (now - begun) / 1_000,
  } satisfies Partial<TaskProgression>;
}

/** A refusal because of the task's state, which it names. */
export function conflict(task: Task, why: string): DomainError {
  const state = task.statusReason === null ? task.status : `${task.status} (${task.statusReason})`;
  return new DomainError('TASK_STATE_CONFLICT', `Task ${task.id} is ${state}: ${why}`, {
    details: { status: task.status, statusReason: task.statusReason, version: task.version },
  });
}

/** A refusal of an agent that does not hold the task, or not any more. */
export function stale(code: 'STALE_ATTEMPT' | 'STALE_SESSION', task: Task, got: string): DomainError {
  const message = `Task ${task.id} is at attempt ${task.attempt} (${task.status}); refused ${got}. Drop the work.`;
  return new DomainError(code, message, { details: { attempt: task.attempt, status: task.status } });
}
