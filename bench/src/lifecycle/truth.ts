import pg from 'pg';

/** What Postgres counted so far; differences of two of them are what a stretch of work cost. */
export type PostgresCounts = {
  readonly transactions: number;
  readonly walBytes: number;
  readonly walFsyncs: number;
  readonly walFsyncMs: number;
};

/** How many transactions wrote how many events. */
export type BatchSize = { readonly event: string; readonly events: number; readonly transactions: number };

/** Medians of the parts of a task's life, from its row, in milliseconds. */
export type LifeParts = {
  readonly createdToAssigned: number;
  readonly assignedToStarted: number;
  readonly startedToCompleted: number;
};

/** How many tasks are in a state after an attempt. */
export type Ending = { readonly status: string; readonly attempt: number; readonly tasks: number };

/** What the tables say: nothing the benchmark reports as done is taken from messages. */
export type Truth = {
  /** Postgres's clock, to name a stretch of work by. */
  now(): Promise<Date>;
  version(): Promise<string>;
  onlineAgents(): Promise<number>;
  /** Whether a task waits for an agent or is held by one. */
  hasUnfinished(): Promise<boolean>;
  /** Whether committed events are still to be published. */
  hasUnpublished(): Promise<boolean>;
  endings(since: Date): Promise<readonly Ending[]>;
  batchSizes(since: Date): Promise<readonly BatchSize[]>;
  lifeParts(since: Date): Promise<LifeParts>;
  /** When the agent was allowed to begin, by task id, on the clock all processes share. */
  startTimes(since: Date): Promise<ReadonlyMap<string, number>>;
  counts(): Promise<PostgresCounts>;
  /** What each backend is for, by process id. */
  backends(): Promise<ReadonlyMap<number, string>>;
  close(): Promise<void>;
};

/** Opens one connection to the database of task-service, as superuser to see all statistics. */
export async function openTruth(url: string): Promise<Truth> {
  const client = new pg.Client({ connectionString: url, application_name: 'bench' });
  // A connection that breaks while nothing is asked must not end the process; the next question fails.
  client.on('error', () => undefined);
  await client.connect();

  async function rows<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await client.query<Row>(text, [...values])).rows;
  }
  async function row<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row> {
    const [first] = await rows<Row>(text, values);
    if (first === undefined) throw new Error(`expected a row from ${text}`);
    return first;
  }

  return {
    now: async () => (await row<{ now: Date }>('SELECT clock_timestamp() AS now')).now,
    version: async () => (await row<{ server_version: string }>('SHOW server_version')).server_version,
    onlineAgents: async () =>
      (await row<{ n: number }>(`SELECT count(*)::int AS n FROM agents WHERE status = 'online'`)).n,
    hasUnfinished: async () =>
      (
        await row<{ found: boolean }>(
          `SELECT EXISTS (SELECT FROM tasks WHERE status = 'queued' AND backlog_class IS NOT NULL)
             OR EXISTS (SELECT FROM tasks WHERE status IN ('assigned','in_progress')) AS found`,
        )
      ).found,
    hasUnpublished: async () =>
      (await row<{ found: boolean }>('SELECT EXISTS (SELECT FROM outbox) AS found')).found,
    endings: (since) =>
      rows<Ending>(
        `SELECT status, attempt, count(*)::int AS tasks FROM tasks WHERE created_at >= $1
         GROUP BY status, attempt ORDER BY 1, 2`,
        [since],
      ),
    // Rows of task_events are never updated: xmin is the transaction that wrote them.
    batchSizes: (since) =>
      rows<BatchSize>(
        `SELECT coalesce(event_type, 'all') AS event, count(*)::int AS events,
           count(DISTINCT xmin::text)::int AS transactions
         FROM task_events WHERE created_at >= $1 GROUP BY GROUPING SETS ((event_type), ()) ORDER BY min(version)`,
        [since],
      ),
    lifeParts: (since) =>
      row<LifeParts>(
        `SELECT ${median('assigned_at - created_at')} AS "createdToAssigned",
           ${median('started_at - assigned_at')} AS "assignedToStarted",
           ${median('completed_at - started_at')} AS "startedToCompleted"
         FROM tasks WHERE created_at >= $1`,
        [since],
      ),
    async startTimes(since) {
      const started = await rows<{ id: string; ms: number | null }>(
        `SELECT id, (result->>'startedMs')::float8 AS ms FROM tasks WHERE created_at >= $1`,
        [since],
      );
      return new Map(started.map(({ id, ms }) => [id, ms ?? Number.NaN]));
    },
    counts: () =>
      row<PostgresCounts>(
        `SELECT (SELECT sum(xact_commit)::float8 FROM pg_stat_database) AS transactions,
           (SELECT wal_bytes::float8 FROM pg_stat_wal) AS "walBytes",
           (SELECT sum(fsyncs)::float8 FROM pg_stat_io WHERE object = 'wal') AS "walFsyncs",
           (SELECT sum(fsync_time)::float8 FROM pg_stat_io WHERE object = 'wal') AS "walFsyncMs"`,
      ),
    async backends() {
      const found = await rows<{ pid: number; name: string }>(
        `SELECT pid, CASE WHEN backend_type = 'client backend' THEN 'for ' || application_name
           ELSE backend_type END AS name FROM pg_stat_activity`,
      );
      return new Map(found.map(({ pid, name }) => [pid, name]));
    },
    close: () => client.end(),
  };
}

function median(interval: string): string {
  return `(extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY ${interval})) * 1000)::float8`;
}
