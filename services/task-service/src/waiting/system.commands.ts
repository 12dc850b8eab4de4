import type { DomainError } from '@baton/contracts';
import type { Outcome, Submission } from '../write-path/submission.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { FIRST_ID } from './waiting.store.js';

const PAGE = 500;

/** A background command of the system on one task; all of them are harmless when there is nothing to do. */
export function systemCommand(
  kind: 'unblock' | 'due',
  taskId: string,
  by: 'reactor' | 'reconciler' | 'timer',
): Submission {
  return {
    command: { kind, taskId },
    actor: `system:${by}`,
    traceparent: null,
    commandId: null,
    bytes: 0,
    background: true,
  };
}

export function cascadeCancel(taskId: string, by: 'reactor' | 'reconciler'): Submission {
  return {
    command: { kind: 'cancel', taskId, reason: 'parent_cancelled' },
    actor: `system:${by}`,
    traceparent: null,
    commandId: null,
    bytes: 0,
    background: true,
  };
}

type Pages<T> = {
  readonly find: (page: { readonly after: string; readonly limit: number }) => Promise<readonly T[]>;
  readonly idOf: (item: T) => string;
  readonly toSubmission: (item: T) => Submission;
};

/**
 * Walks pages of ids and submits a command for each; a page is written before the next is read, so that neither
 * memory nor a lock grows with the fan-out. Says how many changed something.
 */
export async function submitPages<T>(
  writePath: WritePath,
  { find, idOf, toSubmission }: Pages<T>,
): Promise<number> {
  let after = FIRST_ID;
  let changed = 0;
  for (;;) {
    const items = await find({ after, limit: PAGE });
    const settled = await Promise.all(items.map((item) => writePath.submit(toSubmission(item))));
    changed += settled.filter(isAccepted).length;
    const unavailable = settled.find(
      (outcome): outcome is DomainError => !isAccepted(outcome) && outcome.retryable,
    );
    if (unavailable) throw unavailable;
    const last = items.at(-1);
    if (last === undefined || items.length < PAGE) return changed;
    after = idOf(last);
  }
}

function isAccepted(settled: Outcome | DomainError): settled is Outcome {
  return !(settled instanceof Error);
}
