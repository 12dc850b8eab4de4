import { DEFAULTS, type DomainError, type TaskError } from '@baton/contracts';
import { nextDue } from './due.policy.js';
import { givenUp, skip } from './given-up.decide.js';
import { changed, conflict, ended, queued, scheduled } from './outcome.decide.js';
import { isRequired, presentPin } from './pin.policy.js';
import { retryDelayMs } from './retry.policy.js';
import { isHeld, type ArrowName, type TaskCommand } from './task.state.js';
import type { Changed, Decided, Related, Task, TaskProgression } from './task.js';

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
export function expire(
  task: Task,
  related: Related,
  command: Extract<TaskCommand, { kind: 'expire' }>,
  now: number,
): Decided {
  const isTheirs = task.assignedTo === command.agentId && task.attempt === command.attempt;
  const isDead = task.status === 'assigned' || (task.holderEpoch ?? 0) <= command.deadEpoch;
  if (!isTheirs || !isHeld(task.status) || !isDead) return { outcome: 'unchanged', task };
  return task.status === 'assigned'
    ? undelivered(task, related, 'expire', now)
    : lost(task, related, 'expire', now);
}

/**
 * The holder lives and forgot the task. An agent lists a task from before its start is sent, so one that just began
 * may be in none of its beats yet.
 */
export function forget(
  task: Task,
  related: Related,
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
  if (runningMs <= DEFAULTS.forgottenAfterBeats * (related.heartbeatMs ?? Infinity)) {
    return conflict(task, `it began ${runningMs} ms ago, less than three beats of its agent`);
  }
  return lost(task, related, 'forget', now);
}

/** The holder is gone or forgot it: burns no retry, and no back-off for the first two losses. */
function lost(task: Task, related: Related, arrow: 'expire' | 'forget', now: number): Changed {
  const lostCount = task.lostCount + 1;
  if (lostCount > DEFAULTS.maxLost) {
    const message = `lost ${lostCount} times by the agents working on it`;
    return failedBySystem(task, arrow, 'agent_lost', message, { lostCount }, now);
  }
  const delayMs = lostCount <= 2 ? 0 : retryDelayMs(task.retryPolicy, lostCount - 2, task.id);
  const reason = arrow === 'expire' ? 'expired' : 'forgotten';
  return givenUp(task, related, {
    arrow,
    reason,
    delayMs,
    now,
    also: { skippedAgents: skip(task, now), lostCount },
  });
}

/** An assignment nobody started: goes elsewhere, until it was handed over too often in a row. */
function undelivered(task: Task, related: Related, arrow: 'expire' | 'timeout', now: number): Changed {
  if (task.handoverCount >= DEFAULTS.maxHandovers) {
    const message = `assigned ${task.handoverCount} times and never started`;
    return failedBySystem(task, arrow, 'undeliverable', message, {}, now);
  }
  const reason = arrow === 'expire' ? 'expired' : 'not_started';
  return givenUp(task, related, { arrow, reason, delayMs: 0, now, also: { skippedAgents: skip(task, now) } });
}

/** A task has waited long enough for one agent, or is to wait for it no more. */
export function unpin(task: Task, related: Related, reason: string, now: number): Decided | DomainError {
  const { pinnedTo } = task;
  if (task.status !== 'queued' || pinnedTo === null) return { outcome: 'unchanged', task };
  if (isRequired(task)) return conflict(task, `only ${pinnedTo} may do it`);
  return givenUp(task, related, { arrow: 'unpin', reason, delayMs: 0, now });
}

function notTaken(task: Task, now: number): Changed {
  const message = `${task.pinnedTo}, which alone may do it, did not take it in time`;
  return failedBySystem(task, 'timeout', 'expired', message, {}, now);
}

/** Whatever a timer found due. */
export function due(task: Task, related: Related, now: number): Decided | DomainError {
  const next = nextDue(task, related.progressAt);
  if (next === undefined || next.at > now) {
    return { outcome: 'unchanged', task: { ...task, dueAt: next?.at ?? null } };
  }
  switch (next.what) {
    case 'ripen':
      return changed(task, 'ripen', 'task.queued', now, queued(task, 'due', now, 0, presentPin(task)));
    case 'unpin':
      return isRequired(task) ? notTaken(task, now) : unpin(task, related, 'pin_expired', now);
    case 'offer':
      return {
        outcome: 'unchanged',
        task: scheduled({ ...task, offerTries: task.offerTries + 1 }),
        offer: true,
      };
    // Whether an idle agent is there the rules cannot know: who asked for the look does. From here on they are counted.
    case 'steal':
      return {
        outcome: 'unchanged',
        task: scheduled({ ...task, offerTries: Math.max(DEFAULTS.offerTries, task.offerTries) + 1 }),
      };
    case 'deadline':
      return failedBySystem(task, 'timeout', 'expired', 'its deadline has passed', {}, now);
    case 'start_timeout':
      return undelivered(task, related, 'timeout', now);
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
