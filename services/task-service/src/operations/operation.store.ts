import type { ErrorBody } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { deleteInChunks, idOfDaysAgo } from '../database/forget.js';
import type { Chunk, Operation, Refusals } from './operation.js';

/** A replica that says nothing for so long is gone: another one goes on. */
const CLAIM_SECONDS = 30;

const COLUMNS = `id, action, q, parameters, actor, traceparent, status, expected, is_estimate AS "isEstimate", position,
  chunk, matched, done, refused, error, created_at AS "createdAt", updated_at AS "updatedAt", ended_at AS "endedAt", epoch`;

export async function insertOperation(
  db: Queryable,
  operation: Pick<
    Operation,
    'id' | 'action' | 'q' | 'parameters' | 'actor' | 'traceparent' | 'expected' | 'isEstimate' | 'createdAt'
  >,
): Promise<Operation> {
  const { id, action, q, parameters, actor, traceparent, expected, isEstimate, createdAt } = operation;
  const { rows } = await db.query<Operation>(
    `INSERT INTO operations (id, action, q, parameters, actor, traceparent, status, expected, is_estimate, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, $8, to_timestamp($9 / 1000.0)) RETURNING ${COLUMNS}`,
    [id, action, q, JSON.stringify(parameters), actor, traceparent, expected, isEstimate, createdAt],
  );
  return one(rows);
}

export async function findOperation(db: Queryable, id: string): Promise<Operation | undefined> {
  const { rows } = await db.query<Operation>(`SELECT ${COLUMNS} FROM operations WHERE id = $1`, [id]);
  return rows[0];
}

/** Has an operation end where it is; one that has ended stays as it is. Undefined: there is none. */
export async function askToCancel(db: Queryable, id: string): Promise<Operation | undefined> {
  const { rows } = await db.query<Operation>(
    `UPDATE operations SET status = 'cancelling', updated_at = clock_timestamp()
      WHERE id = $1 AND status = 'running' RETURNING ${COLUMNS}`,
    [id],
  );
  return rows[0] ?? findOperation(db, id);
}

/** Takes the open operation that waited longest, unless another replica has it: all of them go on in turn. */
export async function claimOperation(db: Queryable): Promise<Operation | undefined> {
  const { rows } = await db.query<Operation>({
    name: 'claim-operation',
    text: `UPDATE operations SET epoch = epoch + 1, claimed_until = clock_timestamp() + interval '${CLAIM_SECONDS} seconds'
      WHERE id = (SELECT id FROM operations WHERE ended_at IS NULL AND claimed_until <= clock_timestamp()
        ORDER BY updated_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING ${COLUMNS}`,
  });
  return rows[0];
}

type Claimed = Pick<Operation, 'id' | 'epoch'>;

/** Writes down what is to be decided next. Whether the claim still holds: else another replica does it. */
export async function writeChunk(db: Queryable, { id, epoch }: Claimed, chunk: Chunk): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'write-chunk',
    text: `UPDATE operations SET chunk = $3, claimed_until = clock_timestamp() + interval '${CLAIM_SECONDS} seconds'
      WHERE id = $1 AND epoch = $2 AND ended_at IS NULL`,
    values: [id, epoch, JSON.stringify(chunk)],
  });
  return rowCount === 1;
}

/** What came of a chunk, in numbers; `refused` is of the whole operation. */
export type Progress = { readonly done: number; readonly matched: number; readonly refused: Refusals };

/**
 * Counts what was decided, moves behind it and gives the operation back; the last chunk ends it, as a cancel does.
 * Gives it as it is now, or nothing when another replica has it.
 */
export async function settleChunk(
  db: Queryable,
  { id, epoch }: Claimed,
  next: string | null,
  { matched, done, refused }: Progress,
): Promise<Operation | undefined> {
  const { rows } = await db.query<Operation>({
    name: 'settle-chunk',
    text: `UPDATE operations SET chunk = NULL, position = coalesce($3, position), matched = matched + $4, done = done + $5,
        refused = $6, updated_at = clock_timestamp(), claimed_until = clock_timestamp(),
        status = CASE WHEN $3 IS NULL THEN 'done' WHEN status = 'cancelling' THEN 'cancelled' ELSE status END,
        ended_at = CASE WHEN $3 IS NULL OR status = 'cancelling' THEN clock_timestamp() END
      WHERE id = $1 AND epoch = $2 AND ended_at IS NULL RETURNING ${COLUMNS}`,
    values: [id, epoch, next, matched, done, JSON.stringify(refused)],
  });
  return rows[0];
}

/** Ends an operation without another chunk. */
export async function endOperation(
  db: Queryable,
  { id, epoch }: Claimed,
  status: 'cancelled' | 'failed',
  error: ErrorBody | null = null,
): Promise<Operation | undefined> {
  const { rows } = await db.query<Operation>(
    `UPDATE operations SET status = $3, error = $4, updated_at = clock_timestamp(), ended_at = clock_timestamp()
      WHERE id = $1 AND epoch = $2 AND ended_at IS NULL RETURNING ${COLUMNS}`,
    [id, epoch, status, error && JSON.stringify(error)],
  );
  return rows[0];
}

/** Gives an operation back with its chunk undecided: whoever takes it next tries that again. */
export async function releaseOperation(db: Queryable, { id, epoch }: Claimed): Promise<void> {
  await db.query(
    `UPDATE operations SET claimed_until = clock_timestamp(), updated_at = clock_timestamp()
      WHERE id = $1 AND epoch = $2 AND ended_at IS NULL`,
    [id, epoch],
  );
}

/** Forgets operations that began more than 30 days ago and have ended. */
export function forgetOldOperations(db: Queryable, signal: AbortSignal): Promise<number> {
  const text = `DELETE FROM operations WHERE id IN (SELECT id FROM operations
      WHERE id < ${idOfDaysAgo(30)} AND ended_at IS NOT NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)`;
  return deleteInChunks(db, { text }, signal);
}

function one(rows: readonly Operation[]): Operation {
  const [row] = rows;
  if (row === undefined) throw new Error('an operation is not there after it was written');
  return row;
}
