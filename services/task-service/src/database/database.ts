import { impatientSocket } from '@baton/runtime';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { ENTITIES } from './entities.js';
import { MIGRATIONS } from './migrations.js';

/** Statements slower than this are a fault of ours, not something to wait for. */
const STATEMENT_TIMEOUT_MS = 5_000;

/** A server that stops answering (paused, half-open connection) must not be waited for, for ever. */
const GRACE_MS = 2_000;
const QUERY_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + GRACE_MS;

/** The TypeORM side: single rows, lists, checks. */
export function createDataSource(url: string): DataSource {
  return new DataSource({
    ...dataSourceOptions(url),
    poolSize: 5,
    extra: {
      keepAlive: true,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      stream: impatientSocket(QUERY_TIMEOUT_MS),
      idleTimeoutMillis: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: 10_000,
    },
  });
}

/** What waits for a lock of a table holds up all who come after it: so long, and not longer. */
const MIGRATION_LOCK_MS = 2_000;

/**
 * For migrations, which take as long as they take: one that a timeout cut off would be tried again for ever. But each
 * waits for a lock of a table a moment only (55P03).
 */
export function createMigrator(url: string): DataSource {
  return new DataSource({
    ...dataSourceOptions(url),
    poolSize: 2,
    extra: {
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      options: `-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c lock_timeout=${MIGRATION_LOCK_MS}`,
    },
  });
}

function dataSourceOptions(url: string) {
  return {
    type: 'postgres',
    url,
    entities: ENTITIES,
    migrations: MIGRATIONS,
    migrationsTableName: 'task_service_migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    installExtensions: false,
    parseInt8: true,
    connectTimeoutMS: 5_000,
    applicationName: 'task-service',
  } as const;
}

export type { DataSource };
export type Pool = pg.Pool;
export type Client = pg.PoolClient;
/** What a store needs: the pool itself, or the connection of a transaction. */
export type Queryable = Pick<pg.Pool, 'query'>;

const EMPTY_LIST: readonly never[] = [];
const EMPTY_OBJECT = {};

function parseJson(text: string): unknown {
  if (text === '[]') return EMPTY_LIST;
  if (text === '{}') return EMPTY_OBJECT;
  return JSON.parse(text);
}

// Rows of a batch share most of their times.
const times = new Map<string, number>();
const TIMES_KEPT = 1_000;

/** `2026-11-22 13:07:53.123456+00` in a session at UTC, to milliseconds. */
function parseTimestamp(text: string): number {
  const known = times.get(text);
  if (known !== undefined) return known;
  const time = Date.parse(`${text.slice(0, 10)}T${text.slice(11, 23).split('+')[0] ?? ''}Z`);
  if (times.size >= TIMES_KEPT) times.clear();
  times.set(text, time);
  return time;
}

const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [pg.types.builtins.TIMESTAMPTZ]: parseTimestamp,
  [pg.types.builtins.INT8]: Number,
  [pg.types.builtins.JSON]: parseJson,
  [pg.types.builtins.JSONB]: parseJson,
};

const getTypeParser: pg.CustomTypesConfig['getTypeParser'] = (oid, format) =>
  PARSERS[oid] ?? pg.types.getTypeParser(oid, format);

type PoolOptions = {
  readonly url: string;
  readonly size: number;
  /** Told of connections that were lost; the pool replaces them. */
  readonly onError: (error: Error) => void;
  /** `off` for what may be lost in a crash and is then done again. Default: on. */
  readonly synchronousCommit?: 'on' | 'off';
  /**
   * What plans are compared by. `rows` counts the rows read and no pages: the planner would otherwise rather walk the
   * primary key, whose rows lie side by side, and throw away what does not match, however much that turns out to
   * be. Default: pages and rows.
   */
  readonly planBy?: 'rows';
  /** Default: 5,000. */
  readonly statementTimeoutMs?: number;
};

/**
 * Costs are rows alone: no pages, and next to nothing for the way down an index. A page is joined row by row: the other
 * ways read all of one side. Plans do not look at the values asked for: where nearly all tasks are of one status,
 * walking all of them looks as short as the index of that status, and is not when the rest are the newest.
 */
const BY_ROWS =
  ' -c random_page_cost=0 -c seq_page_cost=0 -c cpu_operator_cost=0.0001 -c enable_mergejoin=off -c enable_hashjoin=off' +
  ' -c plan_cache_mode=force_generic_plan';

/**
 * The hot path's own pool: named prepared statements (planning a 30-column batch each time costs more than running
 * it), timestamps as milliseconds, JSON parsed without work for the empty values most rows have.
 */
export function createPool({
  url,
  size,
  onError,
  synchronousCommit = 'on',
  statementTimeoutMs = STATEMENT_TIMEOUT_MS,
  planBy,
}: PoolOptions): Pool {
  const planning = planBy === 'rows' ? BY_ROWS : '';
  const pool = new pg.Pool({
    connectionString: url,
    max: size,
    connectionTimeoutMillis: 5_000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + GRACE_MS,
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
    application_name: 'task-service',
    // Every statement here reaches its rows by key. Plans are kept, and one made while a table was still empty would
    // go on scanning it from end to end until the first ANALYZE.
    options: `-c timezone=UTC -c enable_seqscan=off -c jit=off -c synchronous_commit=${synchronousCommit}${planning}`,
    types: { getTypeParser },
  });
  pool.on('error', onError);
  // The pool listens to idle connections only; one that is lost while in use would end the process.
  pool.on('connect', (client) => client.on('error', onError));
  return pool;
}

/** The time of the database, in milliseconds. */
export async function readTime(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ now: number }>('SELECT clock_timestamp() AS now');
  return rows[0]?.now ?? Number.NaN;
}
