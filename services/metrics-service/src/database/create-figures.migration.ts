import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The latest state of each task, and the totals that follow it. */
export class CreateFigures1795305600000 implements MigrationInterface {
  readonly name = 'CreateFigures1795305600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE metrics.tasks (
        task_id uuid PRIMARY KEY,
        version integer NOT NULL,
        status text NOT NULL,
        type text NOT NULL,
        priority smallint NOT NULL,
        agent text NOT NULL,
        retries integer NOT NULL,
        losses integer NOT NULL,
        created_at timestamptz NOT NULL,
        first_queued_at timestamptz,
        assigned_at timestamptz,
        started_at timestamptz,
        ended_at timestamptz
      )`);
    // Figures of a window.
    await runner.query(`CREATE INDEX tasks_ended ON metrics.tasks (ended_at) WHERE ended_at IS NOT NULL`);
    // The oldest of the backlog.
    await runner.query(
      `CREATE INDEX tasks_queued ON metrics.tasks (first_queued_at) WHERE status = 'queued'`,
    );
    // "endings" only rises, also when a task is reopened; the sums of time are those of completed tasks.
    await runner.query(`
      CREATE TABLE metrics.totals (
        status text,
        type text,
        priority smallint,
        agent text,
        tasks bigint NOT NULL,
        endings bigint NOT NULL,
        retries bigint NOT NULL,
        losses bigint NOT NULL,
        duration_us bigint NOT NULL,
        run_us bigint NOT NULL,
        wait_us bigint NOT NULL,
        end_to_end_us bigint NOT NULL,
        PRIMARY KEY (status, type, priority, agent)
      ) WITH (fillfactor = 50)`);
    await runner.query(`
      CREATE FUNCTION metrics.microseconds(since timestamptz, until timestamptz) RETURNS bigint
      LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (extract(epoch FROM until - since) * 1000000)::bigint $$`);
    // Messages that were given up, for people to look at.
    await runner.query(`
      CREATE TABLE metrics.poison (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        stream text NOT NULL,
        seq bigint NOT NULL,
        subject text NOT NULL,
        deliveries integer NOT NULL,
        reason text NOT NULL,
        payload text NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE metrics.poison`);
    await runner.query(`DROP FUNCTION metrics.microseconds(timestamptz, timestamptz)`);
    await runner.query(`DROP TABLE metrics.totals`);
    await runner.query(`DROP TABLE metrics.tasks`);
  }
}
