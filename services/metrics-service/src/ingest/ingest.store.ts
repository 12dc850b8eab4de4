import type { TaskEvent } from '@baton/contracts';
import type { DataSource, EntityManager } from 'typeorm';
import { toDomainError } from '../database/database-error.js';
import { saveDelegations, saveRecoveries, saveRollups } from '../rollups/rollup.store.js';
import { foldEvents, type Flush, type KnownTask, type Total } from './flush.fold.js';

/** What is known of each task, and every figure that follows from its events. */
export class IngestStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /**
   * Counts events in one transaction, with the versions by which a repetition is known: repeated, late and reordered
   * events leave every figure as it is. Costs two reads and a few set-wise writes, whatever the tables hold. Answers
   * what was new. Throws as `toDomainError` says.
   */
  async saveEvents(events: readonly TaskEvent[]): Promise<Pick<Flush, 'counted' | 'durations'>> {
    try {
      return await this.#dataSource.transaction(async (manager) => {
        await lockFlushes(manager);
        const known = await findKnown(manager, new Set(events.map(({ subject }) => subject)));
        const flush = foldEvents(events, known);
        if (flush.counted === 0) return flush;
        const [{ now }] = await manager.query('SELECT extract(epoch FROM clock_timestamp())::float8 AS now');
        await saveTasks(manager, flush.tasks);
        await saveTotals(manager, flush.totals);
        await saveRollups(manager, flush.facts.figures, now);
        await saveDelegations(manager, flush.facts.delegations, now);
        await saveRecoveries(manager, flush.facts.recoveries, now);
        return flush;
      });
    } catch (error) {
      throw toDomainError(error);
    }
  }

  /** Whether an event of a task has been missing for so long that it may never come by itself. */
  async hasGap(seconds: number): Promise<boolean> {
    const [row] = await this.#dataSource.query(
      `SELECT EXISTS (SELECT FROM metrics.tasks WHERE ahead <> '{}'
        AND changed_at < clock_timestamp() - make_interval(secs => $1)) AS found`,
      [seconds],
    );
    return row.found;
  }

  /** Whether all of these events are counted. */
  async hasAll(versions: readonly { readonly taskId: string; readonly version: number }[]): Promise<boolean> {
    const [row] = await this.#dataSource.query(
      `SELECT EXISTS (SELECT FROM unnest($1::uuid[], $2::int[]) AS told (task_id, version)
        LEFT JOIN metrics.tasks AS task USING (task_id)
        WHERE task.task_id IS NULL OR (told.version > task.version AND told.version <> ALL (task.ahead))) AS missing`,
      [versions.map(({ taskId }) => taskId), versions.map(({ version }) => version)],
    );
    return !row.missing;
  }

  /** Records a message that will never be ingested. */
  async savePoison(poison: Poison): Promise<void> {
    await this.#dataSource.query(
      `INSERT INTO metrics.poison (stream, seq, subject, deliveries, reason, payload) VALUES ($1, $2, $3, $4, $5, $6)`,
      [poison.stream, poison.seq, poison.subject, poison.deliveryCount, poison.reason, poison.payload],
    );
  }
}

/**
 * One flush at a time over all replicas: a flush reads what it then changes, and two that met would lock the hot rows in
 * opposite orders. Taken in a statement of its own, so that the next one sees what the holder before it committed.
 */
export async function lockFlushes(manager: EntityManager): Promise<void> {
  await manager.query(`SELECT pg_advisory_xact_lock(hashtext('metrics-service flush'))`);
}

/** A message that was given up, with the beginning of what it said. */
export type Poison = {
  readonly stream: string;
  readonly seq: number;
  readonly subject: string;
  readonly deliveryCount: number;
  readonly reason: string;
  readonly payload: string;
};

type KnownRow = Omit<KnownTask, 'createdAt' | 'firstQueuedAt' | 'endedAt'> & {
  readonly createdAt: Date;
  readonly firstQueuedAt: Date | null;
  readonly endedAt: Date | null;
};

async function findKnown(
  manager: EntityManager,
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, KnownTask>> {
  const rows: readonly KnownRow[] = await manager.query(
    `SELECT task_id AS "taskId", version, ahead, status, type, priority, agent, created_at AS "createdAt",
      first_queued_at AS "firstQueuedAt", ended_at AS "endedAt" FROM metrics.tasks WHERE task_id = ANY($1)`,
    [[...ids]],
  );
  return new Map(
    rows.map((row) => [
      row.taskId,
      {
        ...row,
        createdAt: row.createdAt.toISOString(),
        firstQueuedAt: row.firstQueuedAt?.toISOString() ?? null,
        endedAt: row.endedAt?.toISOString() ?? null,
      },
    ]),
  );
}

async function saveTasks(manager: EntityManager, tasks: readonly KnownTask[]): Promise<void> {
  await manager.query(
    `INSERT INTO metrics.tasks (task_id, version, ahead, status, type, priority, agent, created_at, first_queued_at,
        ended_at, changed_at)
      SELECT a, b, c::int[], d, e, f, g, h, i, j, clock_timestamp() FROM unnest($1::uuid[], $2::int[], $3::text[],
        $4::text[], $5::text[], $6::smallint[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[])
        AS row (a, b, c, d, e, f, g, h, i, j)
      ON CONFLICT (task_id) DO UPDATE SET version = excluded.version, ahead = excluded.ahead, status = excluded.status,
        type = excluded.type, priority = excluded.priority, agent = excluded.agent, created_at = excluded.created_at,
        first_queued_at = excluded.first_queued_at, ended_at = excluded.ended_at, changed_at = excluded.changed_at`,
    [
      tasks.map(({ taskId }) => taskId),
      tasks.map(({ version }) => version),
      tasks.map(({ ahead }) => `{${ahead.join(',')}}`),
      tasks.map(({ status }) => status),
      tasks.map(({ type }) => type),
      tasks.map(({ priority }) => priority),
      tasks.map(({ agent }) => agent),
      tasks.map(({ createdAt }) => createdAt),
      tasks.map(({ firstQueuedAt }) => firstQueuedAt),
      tasks.map(({ endedAt }) => endedAt),
    ],
  );
}

async function saveTotals(manager: EntityManager, totals: readonly Total[]): Promise<void> {
  if (totals.length === 0) return;
  await manager.query(
    `INSERT INTO metrics.totals AS total (status, type, priority, agent, tasks)
      SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::text[], $5::bigint[])
      ON CONFLICT (status, type, priority, agent) DO UPDATE SET tasks = total.tasks + excluded.tasks`,
    [
      totals.map(({ status }) => status),
      totals.map(({ type }) => type),
      totals.map(({ priority }) => priority),
      totals.map(({ agent }) => agent),
      totals.map(({ tasks }) => tasks),
    ],
  );
}
