import type { DomainError } from '@baton/contracts';
import type { Outcome, Submission } from './submission.js';
import type { WritePath } from './write-path.service.js';

/** Lower than every id there is. */
export const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** A page of ids in order, behind `after`. */
export type Page = { readonly after: string; readonly limit: number };

/** Enough that every lane writes full batches of it. */
const PAGE = 2_000;

/** A list to walk, and what to do with each item of it. */
export type Pages<T> = {
  readonly find: (page: Page) => Promise<readonly T[]>;
  readonly idOf: (item: T) => string;
  readonly toSubmission: (item: T) => Submission;
  /** Told what a page came to, refusals left out. */
  readonly written?: (outcomes: readonly Outcome[]) => void;
};

/**
 * Walks pages of ids and submits a command for each; a page is written before the next is read, so that neither
 * memory nor a lock grows with the fan-out. Says how many changed something.
 */
export async function submitPages<T>(
  writePath: WritePath,
  { find, idOf, toSubmission, written }: Pages<T>,
): Promise<number> {
  let after = FIRST_ID;
  let changed = 0;
  for (;;) {
    const items = await find({ after, limit: PAGE });
    const settled = await Promise.all(items.map((item) => writePath.submit(toSubmission(item))));
    const accepted = settled.filter(isAccepted);
    changed += accepted.length;
    written?.(accepted);
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
