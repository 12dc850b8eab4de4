import {
  DomainError,
  type CreateOperation,
  type JsonObject,
  type OperationDryRun,
  type OperationView,
} from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import type { ListService } from '../tasks/list.service.js';
import type { Caller } from '../tasks/task.service.js';
import { writeAudit } from '../write-path/audit.service.js';
import { repeatedOutcome } from '../write-path/batch.keys.js';
import { keepKeys } from '../write-path/idempotency.store.js';
import { filterOf } from './operation.actions.policy.js';
import type { OperationRunner } from './operation.runner.service.js';
import { toView } from './operation.js';
import { askToCancel, findOperation, insertOperation } from './operation.store.js';

/** Use cases of operators on operations: changes of every task of a filter. */
export class OperationService {
  constructor(
    private readonly pool: Pool,
    private readonly lists: ListService,
    private readonly runner: OperationRunner,
    private readonly mintId: () => string,
    /** Milliseconds, of the clock ids are made by. */
    private readonly now: () => number,
  ) {}

  /** How many tasks the operation would change if it began now. */
  async dryRun({ action, q }: CreateOperation): Promise<OperationDryRun> {
    const now = this.now();
    const { count, approximate } = await this.lists.countOf(filterOf(action, q, now), now);
    return { matched: count, approximate };
  }

  /** Begins an operation, and answers the first one's when the request is repeated with its key. */
  async start(
    { action, q, with: parameters }: CreateOperation,
    { actor, traceparent, idempotency }: Caller,
  ): Promise<{ readonly view: OperationView; readonly replayed: boolean }> {
    const createdAt = this.now();
    const { count: expected, approximate: isEstimate } = await this.lists.countOf(
      filterOf(action, q, createdAt),
      createdAt,
    );
    const wanted = {
      id: this.mintId(),
      action,
      q,
      parameters: parameters as JsonObject,
      actor,
      traceparent,
      expected,
      isEstimate,
      createdAt,
    };
    const { operation, first } = await inTransaction(this.pool, async (db) => {
      const earlier = idempotency && (await repeatedOutcome<{ readonly id: string }>(db, idempotency));
      if (earlier !== undefined) return { operation: undefined, first: earlier[0]?.id ?? '' };
      const inserted = await insertOperation(db, wanted);
      const detail = { action, q, with: parameters };
      await writeAudit(db, [{ actor, action: 'operation.start', subject: wanted.id, code: null, detail }]);
      if (idempotency) await keepKeys(db, [{ idempotency, outcome: [{ id: wanted.id }] }]);
      return { operation: inserted, first: wanted.id };
    });
    void this.runner.run();
    return operation === undefined
      ? { view: await this.get(first), replayed: true }
      : { view: toView(operation), replayed: false };
  }

  async get(id: string): Promise<OperationView> {
    const operation = await findOperation(this.pool, id);
    if (operation === undefined) throw notFound(id);
    return toView(operation);
  }

  /** Ends an operation where it is: what is being decided is still ended, and what was stays so. */
  async cancel(id: string, { actor }: Caller): Promise<OperationView> {
    const operation = await inTransaction(this.pool, async (db) => {
      const cancelled = await askToCancel(db, id);
      if (cancelled === undefined) throw notFound(id);
      await writeAudit(db, [{ actor, action: 'operation.cancel', subject: id, code: null, detail: {} }]);
      return cancelled;
    });
    void this.runner.run();
    return toView(operation);
  }
}

function notFound(id: string): DomainError {
  return new DomainError(
    'OPERATION_NOT_FOUND',
    `There is no operation ${id}; those that ended are kept for 30 days`,
  );
}
