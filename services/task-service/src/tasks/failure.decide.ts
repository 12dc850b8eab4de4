import { DEFAULTS, type DomainError, type TaskError } from '@baton/contracts';
import { nextDue } from './due.policy.js';
import { changed, conflict, ended, queued, scheduled } from './outcome.decide.js';
import { retryDelayMs } from './retry.policy.js';
import { isHeld, type ArrowName, type TaskCommand } from './task.state.js';
import type { Changed, Decided, Related, SkippedAgent, Task, TaskProgression } from './task.js';

/** A try that failed or took too long: again after a back-off, or for good. To wait for a limit of others is no try. */
export function fail(task: Task, arrow: 'fail' | 'timeout', error: TaskError, now: number): Changed {
  if (!error.retryable || (task.retryCount >= task.maxRetries && !isRateLimited(error))) {
    const reason = error.retryable ? 'retries_exhausted' : 'not_retryable';
    return changed(task, arrow, 'task.failed', now, { ...ended('failed', reason, task, now), error });
  }
  if (isRateLimited(error)) {
    const wait = Math.round(error.retryAfter * 1_000);
    return changed(task, arrow, 'task.queued', now, { ...queued(task, 'rate_limited', now, wait), error });
  }
  const retryCount = task.retryCount + 1;
  return changed(task, arrow, 'task.queued', now, {
    ...queued(task, 'retry', now, retryDelayMs(task.retryPolicy, retryCount, task.id)),
    skippedAgents: skip(task, now),
    retryCount,
    error,
  });
}

function isRateLimited(error: TaskError): error is TaskError & { readonly retryAfter: number } {
  return error.code === 'rate_limited' && error.retryAfter !== undefined;
}

/** The holder of an attempt is gone, or never began. */
export function expire(task: Task, command: Extract<TaskCommand, { kind: 'expire' }>, now: number): Decided {
  const isTheirs = task.assignedTo === command.agentId && task.attempt === command.attempt;
  const isDead = task.status === 'assigned' || (task.holderEpoch ?? 0) <= command.deadEpoch;
  if (!isTheirs || !isHeld(task.status) || !isDead) return { outcome: 'unchanged', task };
  return task.status === 'assigned' ? undelivered(task, 'expire', now) : lost(task, 'expire', now);
}

/**
 * The holder lives and forgot the task. An agent lists a task from before its start is sent, so one that just began
 * may be in none of its beats yet.
 */
export function forget(
  task: Task,
  { heartbeatMs }: Pick<Related, 'heartbeatMs'>,
  command: Extract<TaskCommand, { kind: 'forget' }>,
  now: number,
): Decided | DomainError {
  const isSame =
    task.status === 'in_progress' &&
    task.version === command.version &&
    task.attempt === command.attempt &&
    task.assignedTo === command.agentId &&
    task.holderEpoch === command.epoch;
  if (!isSame) return conflict(task, `version ${command.version} was reported, it is at ${task.version}`);
  const runningMs = now - (task.startedAt ?? now);
  if (runningMs <= DEFAULTS.forgottenAfterBeats * (heartbeatMs ?? Infinity)) {
    return conflict(task, `it began ${runningMs} ms ago, less than three beats of its agent`);
  }
  return lost(task, 'forget', now);
}

/** The holder is gone or forgot it: burns no retry, and no back-off for the first two losses. */
function lost(task: Task, arrow: 'expire' | 'forget', now: number): Changed {
  const lostCount = task.lostCount + 1;
  if (lostCount > DEFAULTS.maxLost) {
    const message = `lost ${lostCount} times by the agents working on it`;
    return failedBySystem(task, arrow, 'agent_lost', message, { lostCount }, now);
  }
  const delay = lostCount <= 2 ? 0 : retryDelayMs(task.retryPolicy, lostCount - 2, task.id);
  return changed(task, arrow, 'task.queued', now, {
    ...queued(task, arrow === 'expire' ? 'expired' : 'forgotten', now, delay),
    skippedAgents: skip(task, now),
    lostCount,
  });
}

/** An assignment nobody started: goes elsewhere, until it was handed over too often in a row. */
function undelivered(task: Task, arrow: 'expire' | 'timeout', now: number): Changed {
  if (task.handoverCount >= DEFAULTS.maxHandovers) {
    const message = `assigned ${task.handoverCount} times and never started`;
    return failedBySystem(task, arrow, 'undeliverable', message, {}, now);
  }
  return changed(task, arrow, 'task.queued', now, {
    ...queued(task, arrow === 'expire' ? 'expired' : 'not_started', now, 0),
    skippedAgents: skip(task, now),
  });
}

/** Whatever a timer found due. */
export function due(task: Task, { progressAt }: Pick<Related, 'progressAt'>, now: number): Decided {
  const next = nextDue(task, progressAt);
  if (next === undefined || next.at > now) {
    return { outcome: 'unchanged', task: { ...task, dueAt: next?.at ?? null } };
  }
  switch (next.what) {
    case 'ripen':
      return changed(task, 'ripen', 'task.queued', now, queued(task, 'due', now, 0));
    case 'offer':
      return {
        outcome: 'unchanged',
        task: scheduled({ ...task, offerTries: task.offerTries + 1 }),
        offer: true,
      };
    case 'deadline':
      return failedBySystem(task, 'timeout', 'expired', 'its deadline has passed', {}, now);
    case 'start_timeout':
      return undelivered(task, 'timeout', now);
    case 'queue_timeout': {
      const message = `waited longer than ${task.queueTimeout} s`;
      return failedBySystem(task, 'timeout', 'expired', message, {}, now);
    }
    case 'timeout':
      return tookTooLong(task, `not finished within ${task.timeout} s`, now);
    case 'progress_timeout':
      return tookTooLong(task, `no progress reported for ${task.progressTimeout} s`, now);
  }
}

function tookTooLong(task: Task, message: string, now: number): Changed {
  return fail(task, 'timeout', { code: 'timeout', message, retryable: true }, now);
}

/** A task the system gives up on. */
export function failedBySystem(
  task: Task,
  arrow: ArrowName,
  code: string,
  message: string,
  more: Partial<TaskProgression>,
  now: number,
): Changed {
  const error = { code, message, retryable: false };
  return changed(task, arrow, 'task.failed', now, { ...ended('failed', code, task, now), ...more, error });
}

/** The agent that just had the task is passed over for a while; those whose time is over are forgotten. */
function skip(task: Task, now: number): readonly SkippedAgent[] {
  const kept = task.skippedAgents.filter(({ agentId, until }) => until > now && agentId !== task.assignedTo);
  if (task.assignedTo === null) return kept;
  return [...kept, { agentId: task.assignedTo, until: now + DEFAULTS.skipAgentMs }];
}
