import type { MigrationInterface, QueryRunner } from 'typeorm';
import { COUNTERS } from '../rollups/rollup.fold.js';
import { CreateFigures1795305600000 } from './create-figures.migration.js';

/** Every event counted once, in rollups. What was kept before is read again from the history: it is a read model. */
export class CreateRollups1795305610000 implements MigrationInterface {
  readonly name = 'CreateRollups1795305610000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE metrics.totals, metrics.tasks');
    await runner.query('DROP FUNCTION metrics.microseconds(timestamptz, timestamptz)');
    // Events up to "version" are counted, and those "ahead".
    await runner.query(`
      CREATE TABLE metrics.tasks (
        task_id uuid PRIMARY KEY,
        version integer NOT NULL,
        ahead integer[] NOT NULL,
        status text NOT NULL,
        type text NOT NULL,
        priority smallint NOT NULL,
        agent text NOT NULL,
        created_at timestamptz NOT NULL,
        first_queued_at timestamptz,
        ended_at timestamptz,
        changed_at timestamptz NOT NULL
      )`);
    await runner.query(`CREATE INDEX tasks_ended ON metrics.tasks (ended_at) WHERE ended_at IS NOT NULL`);
    await runner.query(`CREATE INDEX tasks_gaps ON metrics.tasks (changed_at) WHERE ahead <> '{}'`);
    // The oldest of the backlog, and of each state.
    await runner.query(
      `CREATE INDEX tasks_queued ON metrics.tasks (first_queued_at) WHERE status = 'queued'`,
    );
    await runner.query(
      `CREATE INDEX tasks_open ON metrics.tasks (status, created_at) WHERE ended_at IS NULL`,
    );
    await runner.query(`
      CREATE TABLE metrics.totals (
        status text, type text, priority smallint, agent text, tasks bigint NOT NULL,
        PRIMARY KEY (status, type, priority, agent)
      ) WITH (fillfactor = 50)`);
    // "at" is the beginning of the bucket in seconds of the epoch, "level" its width, 0 for all time.
    const counters = COUNTERS.map((name) => `${name} bigint NOT NULL`).join(', ');
    await runner.query(`
      CREATE TABLE metrics.rollups (
        level integer, dimensions smallint, at bigint, agent text, type text, priority smallint, ${counters},
        sketches bytea NOT NULL,
        PRIMARY KEY (level, dimensions, at, agent, type, priority)
      ) WITH (fillfactor = 70)`);
    await runner.query(`
      CREATE INDEX rollups_by_agent ON metrics.rollups (level, dimensions, agent, at) WHERE agent <> '*'`);
    await runner.query(`
      CREATE TABLE metrics.delegations (
        level integer, at bigint, edge_from text, edge_to text, chain text, type text, priority smallint,
        delegated bigint NOT NULL, completed bigint NOT NULL, ended bigint NOT NULL, sketches bytea NOT NULL,
        PRIMARY KEY (level, at, edge_from, edge_to, chain, type, priority)
      )`);
    await runner.query(`
      CREATE TABLE metrics.recoveries (
        level integer, at bigint, agent text, type text, priority smallint, reason text, count bigint NOT NULL,
        PRIMARY KEY (level, at, agent, type, priority, reason)
      )`);
    // How many slots an agent has from a moment on; 0 while it is not online.
    await runner.query(`
      CREATE TABLE metrics.capacity (
        agent text, at timestamptz, slots integer NOT NULL, PRIMARY KEY (agent, at)
      )`);
    // How far the history is known to be counted; no row: not at all.
    await runner.query(`
      CREATE TABLE metrics.progress (
        single boolean PRIMARY KEY DEFAULT true CHECK (single), cursor jsonb NOT NULL, horizon text NOT NULL,
        generation integer NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP TABLE metrics.progress, metrics.capacity, metrics.recoveries, metrics.delegations, metrics.rollups,
        metrics.totals, metrics.tasks, metrics.poison`,
    );
    await new CreateFigures1795305600000().up(runner);
  }
}
