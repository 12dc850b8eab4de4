import { DomainError } from '@baton/contracts';
import type { Client } from '../database/database.js';
import { claimKeys, keepKeys, keyName, releaseKeys, type StoredKey } from './idempotency.store.js';
import type { Idempotency, Settled, Submission } from './submission.js';

/** Takes the keys of a batch, the first of its locks, and tells what those stand for that were taken before. */
export async function takeKeys(
  db: Client,
  submissions: readonly Submission[],
): Promise<Map<string, StoredKey>> {
  const keys = new Map<string, Idempotency>();
  // Of two requests with one key the first is the one that is decided: its body is what the key stands for.
  for (const { idempotency } of submissions.toReversed()) {
    if (idempotency) keys.set(keyName(idempotency), idempotency);
  }
  return keys.size === 0 ? new Map() : claimKeys(db, [...keys.values()]);
}

/** What a key was decided to stand for in this very batch. */
export type DecidedKey = { readonly idempotency: Idempotency; readonly outcome: Settled };

/** The answer of an earlier request with the same key. */
export function replayed(
  submission: Submission,
  stored: ReadonlyMap<string, StoredKey>,
): Settled | undefined {
  if (submission.idempotency === undefined) return undefined;
  const found = stored.get(keyName(submission.idempotency));
  if (found === undefined) return undefined;
  return (
    mismatch(submission, found.fingerprint) ?? { accepted: found.outcome ?? [], replayed: true, tasks: [] }
  );
}

/** The answer of a request with the same key in the same batch. */
export function repeatedInBatch(
  submission: Submission,
  decided: ReadonlyMap<string, DecidedKey>,
): Settled | undefined {
  if (submission.idempotency === undefined) return undefined;
  const first = decided.get(keyName(submission.idempotency));
  if (first === undefined) return undefined;
  const { idempotency, outcome } = first;
  if (outcome instanceof DomainError) return outcome;
  return mismatch(submission, idempotency.fingerprint) ?? { ...outcome, replayed: true, tasks: [] };
}

/** Of a holder inside its parent a key is not bound to a body: a second attempt that plans differently finds the first's children. */
function mismatch({ idempotency, command }: Submission, fingerprint: string): DomainError | undefined {
  const boundToParent = command.kind === 'create' && command.parent?.fence !== undefined;
  if (idempotency === undefined || boundToParent || fingerprint === idempotency.fingerprint) return undefined;
  return otherBody(idempotency);
}

function otherBody({ key }: Idempotency): DomainError {
  const message = `The key ${key} was used with another body; use a new key for a new request`;
  return new DomainError('IDEMPOTENCY_MISMATCH', message);
}

/**
 * Takes the key of a request that is no command, the first lock of its transaction. Whether the same request was
 * accepted before; throws `IDEMPOTENCY_MISMATCH` when another one was. What was not accepted is rolled back, key and all.
 */
export async function isRepeated(db: Client, idempotency: Idempotency): Promise<boolean> {
  return (await repeatedOutcome(db, idempotency)) !== undefined;
}

/** As `isRepeated`, with what was kept for the key. */
export async function repeatedOutcome<T>(
  db: Client,
  idempotency: Idempotency,
): Promise<readonly T[] | undefined> {
  const stored = (await claimKeys<T>(db, [idempotency])).get(keyName(idempotency));
  refuseOtherBody(idempotency, stored);
  return stored && (stored.outcome ?? []);
}

/** Throws when the key stands for another request. */
export function refuseOtherBody(
  idempotency: Idempotency,
  stored: Pick<StoredKey, 'fingerprint'> | undefined,
): void {
  if (stored !== undefined && stored.fingerprint !== idempotency.fingerprint) throw otherBody(idempotency);
}

/** Remembers what accepted keys stand for; those of refused commands may be tried again. */
export async function settleKeys(
  db: Client,
  submissions: readonly Submission[],
  replays: readonly (Settled | undefined)[],
  settled: readonly Settled[],
): Promise<void> {
  const kept = new Map<string, Parameters<typeof keepKeys>[1][number]>();
  const released = new Map<string, Idempotency>();
  submissions.forEach(({ idempotency }, index) => {
    const outcome = settled[index];
    if (idempotency === undefined || replays[index] !== undefined || outcome === undefined) return;
    if (outcome instanceof DomainError) released.set(keyName(idempotency), idempotency);
    else kept.set(keyName(idempotency), { idempotency, outcome: outcome.accepted });
  });
  // A repetition that was refused leaves the key to the request it repeats.
  for (const name of kept.keys()) released.delete(name);
  if (kept.size > 0) await keepKeys(db, [...kept.values()]);
  if (released.size > 0) await releaseKeys(db, [...released.values()]);
}
