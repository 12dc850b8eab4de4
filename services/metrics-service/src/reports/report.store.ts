import type { MetricGrouping } from '@baton/contracts';
import type { DataSource, EntityManager } from 'typeorm';
import { toDomainError } from '../database/database-error.js';
import { bucketAt, type Level } from '../rollups/levels.policy.js';
import { COUNTERS, DIMENSIONS, type Dimension } from '../rollups/rollup.fold.js';
import type { Sum } from './figures.fold.js';

export type Filters = {
  readonly agent?: string | undefined;
  readonly type?: string | undefined;
  readonly priority?: number | undefined;
};

/** The buckets of a level from `from` (seconds of the epoch) to now. */
export type Span = { readonly level: Level; readonly from: number; readonly now: number };

/** One row of a grouping: the fields grouped by, the sums, and the seconds agents worked. */
export type GroupSum = Sum & {
  readonly agent?: string;
  readonly type?: string;
  readonly priority?: number;
  readonly at?: number;
  readonly activeDelta: number;
  /** Σ over starts less ends of (now − when): with what was active before the window, the integral of what ran. */
  readonly activeSeconds: number;
};

/** Statements over one snapshot. Costs the buckets of the window and their groups, whatever was counted in them. */
export class Reading {
  readonly #manager: EntityManager;

  constructor(manager: EntityManager) {
    this.#manager = manager;
  }

  /** The moment of the snapshot, in seconds of the epoch. */
  async now(): Promise<number> {
    const [row] = await this.#manager.query('SELECT extract(epoch FROM now())::float8 AS now');
    return row.now;
  }

  /** When the first bucket of an hour there is begins; null without any. */
  async first(): Promise<number | null> {
    const [row] = await this.#manager.query(
      'SELECT min(at) AS at FROM metrics.rollups WHERE level = 3600 AND dimensions = 0',
    );
    return row.at;
  }

  /** Sums by `groupBy`; one row without, none when there is nothing. */
  groups(span: Span, filters: Filters, groupBy: readonly MetricGrouping[]): Promise<readonly GroupSum[]> {
    const named = (Object.keys(DIMENSIONS) as Dimension[]).filter(
      (name) => filters[name] !== undefined || groupBy.includes(name),
    );
    const values: unknown[] = [
      span.level.seconds,
      named.reduce((bits, name) => bits + DIMENSIONS[name], 0),
      bucketAt(span.level, span.from),
      span.now,
    ];
    const where = conditions(filters, values);
    const fields = groupBy.map((name) => (name === 'time' ? 'at' : name));
    const grouped =
      fields.length === 0
        ? ''
        : `GROUP BY ${fields.join(', ')} ORDER BY sum(completed + failed + cancelled) DESC, ${fields.join(', ')}`;
    return this.#manager.query(
      `SELECT ${[...fields, ...SUMS].join(', ')} FROM metrics.rollups
        WHERE level = $1 AND dimensions = $2 AND at >= $3 ${where} ${grouped}`,
      values,
    );
  }

  /** Tasks by present state and agent. */
  states(filters: Filters): Promise<readonly { status: string; agent: string; tasks: number }[]> {
    const values: unknown[] = [];
    return this.#manager.query(
      `SELECT status, agent, sum(tasks)::bigint AS tasks FROM metrics.totals
        WHERE status <> 'deleted' ${conditions(filters, values)} GROUP BY status, agent HAVING sum(tasks) > 0`,
      values,
    );
  }

  /** Seconds since the oldest task of each open state was created, and since the oldest queued one was first ready. */
  async oldest(
    filters: Filters,
  ): Promise<{ states: Readonly<Record<string, number | null>>; queued: number | null }> {
    const values: unknown[] = [OPEN];
    const where = conditions(filters, values);
    const rows: readonly { status: string; seconds: number | null }[] = await this.#manager.query(
      `SELECT status, (SELECT extract(epoch FROM now() - created_at) FROM metrics.tasks
          WHERE status = open.status AND ended_at IS NULL ${where} ORDER BY created_at LIMIT 1)::float8 AS seconds
        FROM unnest($1::text[]) AS open (status)`,
      values,
    );
    const other: unknown[] = [];
    const [queued] = await this.#manager.query(
      `SELECT extract(epoch FROM now() - min(first_queued_at))::float8 AS seconds FROM metrics.tasks
        WHERE status = 'queued' ${conditions(filters, other)}`,
      other,
    );
    return {
      states: Object.fromEntries(rows.map(({ status, seconds }) => [status, seconds])),
      queued: queued.seconds,
    };
  }

  /** How often work was taken from agents or given back, by reason. */
  recoveries({ level, from }: Span, filters: Filters): Promise<readonly { reason: string; count: number }[]> {
    const values: unknown[] = [level.seconds, bucketAt(level, from)];
    return this.#manager.query(
      `SELECT reason, sum(count)::bigint AS count FROM metrics.recoveries
        WHERE level = $1 AND at >= $2 ${conditions(filters, values)} GROUP BY reason ORDER BY reason`,
      values,
    );
  }

  /** What agents could have done in the window: seconds online, slots × seconds, and their slots now. */
  capacity({ from, now }: Span, agent?: string): Promise<readonly AgentCapacity[]> {
    const own = agent === undefined ? '' : 'WHERE agent = $3';
    return this.#manager.query(
      `SELECT agent, (array_agg(slots ORDER BY at DESC))[1] AS slots,
          sum(CASE WHEN slots > 0 THEN seconds ELSE 0 END)::float8 AS "onlineSeconds",
          sum(slots * seconds)::float8 AS "slotSeconds"
        FROM (SELECT agent, at, slots, greatest(0, least($2::float8, next) - greatest($1::float8, since)) AS seconds
          FROM (SELECT agent, at, slots, extract(epoch FROM at)::float8 AS since, coalesce(extract(epoch FROM
            lead(at) OVER (PARTITION BY agent ORDER BY at))::float8, $2) AS next FROM metrics.capacity ${own}) AS step) AS part
        GROUP BY agent`,
      [from, now, ...(agent === undefined ? [] : [agent])],
    );
  }

  /** Hand-overs by edge, or by chain; most first. */
  delegations(
    { level, from }: Span,
    filters: Filters,
    by: 'edge' | 'chain',
  ): Promise<readonly DelegationSum[]> {
    const values: unknown[] = [level.seconds, bucketAt(level, from)];
    const { agent, ...others } = filters;
    const where = [conditions(others, values)];
    if (agent !== undefined) {
      values.push(agent);
      const parameter = `$${values.length}`;
      where.push(
        by === 'edge'
          ? `AND ${parameter} IN (edge_from, edge_to)`
          : `AND ${parameter} = ANY (string_to_array(chain, '>'))`,
      );
    }
    return this.#manager.query(
      `SELECT edge_from AS "from", edge_to AS "to", chain, sum(delegated)::bigint AS delegated,
          sum(completed)::bigint AS completed, sum(ended)::bigint AS ended, string_agg(sketches, ''::bytea) AS sketches
        FROM metrics.delegations WHERE level = $1 AND at >= $2 AND (chain = '') = ${by === 'edge'} ${where.join(' ')}
        GROUP BY edge_from, edge_to, chain ORDER BY sum(delegated) DESC, edge_from, edge_to, chain`,
      values,
    );
  }

  /** What was given up, tasks with missing events, and the bytes of all tables. */
  async upkeep(): Promise<{ poison: number; gaps: number; bytes: number; cursor: object | null }> {
    const [row] = await this.#manager.query(
      `SELECT (SELECT count(*) FROM metrics.poison) AS poison,
        (SELECT count(*) FROM metrics.tasks WHERE ahead <> '{}') AS gaps,
        (SELECT cursor FROM metrics.progress) AS cursor,
        (SELECT sum(pg_total_relation_size(oid)) FROM pg_class
          WHERE relnamespace = 'metrics'::regnamespace AND relkind = 'r')::bigint AS bytes`,
    );
    return row;
  }
}

export type AgentCapacity = {
  readonly agent: string;
  readonly slots: number;
  readonly onlineSeconds: number;
  readonly slotSeconds: number;
};

export type DelegationSum = {
  readonly from: string;
  readonly to: string;
  readonly chain: string;
  readonly delegated: number;
  readonly completed: number;
  readonly ended: number;
  readonly sketches: Uint8Array;
};

/** Reads what reports are made of. */
export class ReportStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** All of one report as of one moment. Throws `UNAVAILABLE` when the database does not answer in time. */
  async read<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    try {
      return await this.#dataSource.transaction('REPEATABLE READ', (manager) => work(new Reading(manager)));
    } catch (error) {
      throw toDomainError(error);
    }
  }
}

const OPEN = ['created', 'queued', 'assigned', 'in_progress', 'blocked'];

const SUMS = [
  ...COUNTERS.map((name) => `coalesce(sum(${name}), 0)::bigint AS ${name}`),
  `string_agg(sketches, ''::bytea) FILTER (WHERE sketches <> '') AS sketches`,
  `coalesce(sum(active_delta), 0)::bigint AS "activeDelta"`,
  `coalesce(sum(active_delta * ($4::float8 - at) - active_at_us / 1e6), 0)::float8 AS "activeSeconds"`,
];

function conditions(filters: Filters, values: unknown[]): string {
  return (['agent', 'type', 'priority'] as const)
    .filter((name) => filters[name] !== undefined)
    .map((name) => `AND ${name} = $${values.push(filters[name])}`)
    .join(' ');
}
