import { DomainError, QueryError } from '@baton/contracts';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import { Loop } from '../loop.js';
import type { ListService } from '../tasks/list.service.js';
import { writeAudit } from '../write-path/audit.service.js';
import type { AdmissionService } from '../types/admission.service.js';
import type { Settled } from '../write-path/submission.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { commandOf, filterOf } from './operation.actions.policy.js';
import type { Chunk, Operation } from './operation.js';
import * as store from './operation.store.js';

const EVERY_MS = 1_000;

/** Tasks decided between two looks at the operation: its locks and its share of a batch stay small. */
const CHUNK_TASKS = 200;

type Needs = {
  readonly pool: Pool;
  readonly lists: ListService;
  readonly writePath: WritePath;
  readonly admission: AdmissionService;
  readonly logger: Logger;
};

/**
 * Carries operations out, a chunk of each in turn. What is to be decided is written down before it is: a replica that
 * dies in the middle leaves the next one the same tasks, and a key for each makes that its second word about a task
 * finds what came of the first. So nothing is done twice, left out or counted twice, whichever replicas die, stall or
 * take over from each other.
 */
export class OperationRunner extends Loop {
  constructor(needs: Needs) {
    super('operations', EVERY_MS, (stopped) => carryOutAll(needs, stopped), needs.logger);
  }
}

async function carryOutAll(needs: Needs, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    const operation = await store.claimOperation(needs.pool);
    if (operation === undefined) return;
    await carryOn(needs, operation);
  }
}

async function carryOn(needs: Needs, operation: Operation): Promise<void> {
  if (operation.chunk === null && operation.status === 'cancelling') {
    await end(needs, (db) => store.endOperation(db, operation, 'cancelled'));
    return;
  }
  let chunk: Chunk;
  try {
    chunk = operation.chunk ?? (await nextChunk(needs, operation));
  } catch (error) {
    // As after an upgrade that supports other filters. Nothing would ever come of it.
    if (!(error instanceof DomainError || error instanceof QueryError)) throw error;
    const body = error instanceof DomainError ? error : new DomainError('QUERY_NOT_SUPPORTED', error.message);
    await end(needs, (db) => store.endOperation(db, operation, 'failed', body.toBody()));
    return;
  }
  if (operation.chunk === null && !(await store.writeChunk(needs.pool, operation, chunk))) return;
  const settled = await carryOutAllOf(needs, operation, chunk.ids);
  const outage = settled.find(isOutage);
  if (outage !== undefined) {
    await store.releaseOperation(needs.pool, operation);
    throw outage;
  }
  await end(needs, (db) => store.settleChunk(db, operation, chunk.next, count(operation, settled)));
}

/**
 * What hindered some deletes may have gone with the others, as all that was below a root with a budget: they are tried
 * once more. A key stands for no refusal.
 */
async function carryOutAllOf(
  needs: Needs,
  operation: Operation,
  ids: readonly string[],
): Promise<readonly Settled[]> {
  const first = await Promise.all(ids.map((id) => carryOut(needs, operation, id)));
  const isHindered = (settled: Settled) =>
    settled instanceof DomainError && settled.code === 'TASK_HAS_DEPENDENTS';
  if (!first.some(isHindered) || first.every(isHindered)) return first;
  return Promise.all(
    first.map(async (settled, index) =>
      isHindered(settled) ? carryOut(needs, operation, ids[index] ?? '') : settled,
    ),
  );
}

/** As by hand: the type of the task may refuse the input it is to begin anew with. */
async function carryOut(
  { writePath, admission }: Needs,
  operation: Operation,
  taskId: string,
): Promise<Settled> {
  const asked = submission(operation, taskId);
  return writePath.submit({ ...asked, command: await admission.judged(asked.command) });
}

/** Nothing was decided: the chunk is tried again as it is. */
function isOutage(settled: Settled): settled is DomainError {
  return settled instanceof DomainError && settled.code === 'UNAVAILABLE';
}

/** Empty where no task of those looked at is of the filter: the list may go on all the same. */
async function nextChunk({ lists }: Needs, { action, q, createdAt, position }: Operation): Promise<Chunk> {
  // Children are younger than their parents, and go before them.
  const sort = action === 'delete' ? '-createdAt' : 'createdAt';
  const filter = filterOf(action, q, createdAt);
  return lists.walk({ filter, sort, now: createdAt }, position, CHUNK_TASKS);
}

function submission({ id, action, parameters, actor, traceparent }: Operation, taskId: string) {
  const command = commandOf(action, taskId, parameters);
  const idempotency = { scope: `operation:${id}`, key: taskId, fingerprint: id };
  return { command, commandId: id, idempotency, actor, traceparent, bytes: 0, background: true } as const;
}

function count({ refused }: Operation, settled: readonly Settled[]): store.Progress {
  const refusals = { ...refused };
  for (const each of settled) {
    if (each instanceof DomainError) refusals[each.code] = (refusals[each.code] ?? 0) + 1;
  }
  const done = settled.filter((each) => !(each instanceof DomainError)).length;
  return { matched: settled.length, done, refused: refusals };
}

/** Writes what may be the end of an operation, and then tells the audit log of it. */
function end(
  { pool }: Needs,
  write: (db: Parameters<typeof store.settleChunk>[0]) => Promise<Operation | undefined>,
) {
  return inTransaction(pool, async (db) => {
    const operation = await write(db);
    if (operation === undefined || operation.endedAt === null) return;
    const { id, status, matched, done, refused } = operation;
    const entry = {
      actor: 'service:task',
      action: 'operation.end',
      subject: id,
      code: operation.error?.code ?? null,
    };
    await writeAudit(db, [{ ...entry, detail: { status, matched, done, refused } }]);
  });
}
