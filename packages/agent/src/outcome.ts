import type { Block, ErrorCode, TaskAnswer } from '@baton/contracts';
import { BlockTask, messageOf, ReturnTask, TaskFailure, toTaskError, type ReturnReason } from './errors.js';
import type { Hold, TaskCommands } from './task-commands.js';

/** The command that ends a run. */
export type Outcome =
  | { readonly verb: 'complete'; readonly fields: { readonly result: unknown } }
  | { readonly verb: 'fail'; readonly fields: { readonly error: object } }
  | { readonly verb: 'block'; readonly fields: Block }
  | { readonly verb: 'return'; readonly fields: { readonly reason: ReturnReason } };

/** A handler that returned; nothing counts as `null`. */
export function completed(result: unknown): Outcome {
  return { verb: 'complete', fields: { result: result ?? null } };
}

/** A handler that threw. */
export function thrownOutcome(thrown: unknown): Outcome {
  if (thrown instanceof ReturnTask) return returned(thrown.reason);
  if (thrown instanceof BlockTask) return { verb: 'block', fields: thrown.block };
  return { verb: 'fail', fields: { error: toTaskError(thrown) } };
}

export function returned(reason: ReturnReason): Outcome {
  return { verb: 'return', fields: { reason } };
}

/** The code of the failure that stands for an end Baton does not take. */
const UNFIT = { complete: 'invalid_result', block: 'invalid_wait' } as const;
/** Refusals of the end itself. */
const REFUSED: ReadonlySet<ErrorCode> = new Set([
  'VALIDATION_FAILED',
  'PAYLOAD_TOO_LARGE',
  'INVALID_RESULT',
  'DEPENDENCY_CYCLE',
]);

/**
 * Tells Baton. A result that is no JSON, or that Baton or the type of the task does not take, fails the task
 * `invalid_result` instead; a wait that it does not take, as for children that wait for this very task, `invalid_wait`.
 */
export async function sendOutcome(commands: TaskCommands, hold: Hold, outcome: Outcome): Promise<TaskAnswer> {
  const { verb, fields } = outcome;
  if (verb !== 'complete' && verb !== 'block') return commands.send(verb, hold, fields);
  let message: string;
  let retryable = false;
  try {
    const answer = await commands.send(verb, hold, fields);
    if (answer.ok || !REFUSED.has(answer.error.code)) return answer;
    // What the type asks of a result another try may give; the rest this program does again.
    retryable = answer.error.code === 'INVALID_RESULT';
    message = answer.error.message;
  } catch (error) {
    message = messageOf(error);
  }
  return commands.send('fail', hold, {
    error: toTaskError(new TaskFailure(UNFIT[verb], message, { retryable })),
  });
}
