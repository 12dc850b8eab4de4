import type { ErrorCode, TaskAnswer } from '@baton/contracts';
import { messageOf, ReturnTask, TaskFailure, toTaskError, type ReturnReason } from './errors.js';
import type { Hold, TaskCommands } from './task-commands.js';

/** The command that ends a run. */
export type Outcome =
  | { readonly verb: 'complete'; readonly fields: { readonly result: unknown } }
  | { readonly verb: 'fail'; readonly fields: { readonly error: object } }
  | { readonly verb: 'return'; readonly fields: { readonly reason: ReturnReason } };

/** A handler that returned; nothing counts as `null`. */
export function completed(result: unknown): Outcome {
  return { verb: 'complete', fields: { result: result ?? null } };
}

/** A handler that threw. */
export function thrownOutcome(thrown: unknown): Outcome {
  if (thrown instanceof ReturnTask) return returned(thrown.reason);
  return { verb: 'fail', fields: { error: toTaskError(thrown) } };
}

export function returned(reason: ReturnReason): Outcome {
  return { verb: 'return', fields: { reason } };
}

/** Tells Baton. A result that is no JSON, or that Baton or the type of the task does not take, fails the task `invalid_result` instead. */
export async function sendOutcome(commands: TaskCommands, hold: Hold, outcome: Outcome): Promise<TaskAnswer> {
  const answer = await trySend(commands, hold, outcome);
  if (answer.ok || outcome.verb !== 'complete' || !UNFIT.has(answer.error.code)) return answer;
  // What the type asks of a result another try may give; the rest this program does again.
  return failUnfit(commands, hold, answer.error.message, answer.error.code === 'INVALID_RESULT');
}

function trySend(commands: TaskCommands, hold: Hold, outcome: Outcome): Promise<TaskAnswer> {
  try {
    return commands.send(outcome.verb, hold, outcome.fields);
  } catch (error) {
    return failUnfit(commands, hold, messageOf(error), false);
  }
}

/** Refusals of the result itself. */
const UNFIT: ReadonlySet<ErrorCode> = new Set(['VALIDATION_FAILED', 'PAYLOAD_TOO_LARGE', 'INVALID_RESULT']);

function failUnfit(
  commands: TaskCommands,
  hold: Hold,
  message: string,
  retryable: boolean,
): Promise<TaskAnswer> {
  const error = toTaskError(new TaskFailure('invalid_result', message, { retryable }));
  return commands.send('fail', hold, { error });
}
