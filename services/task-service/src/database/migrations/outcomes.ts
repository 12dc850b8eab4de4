import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS = [
  `CREATE TABLE agent_outcomes (
    agent_id varchar(64) NOT NULL,
    type text NOT NULL,
    capability text NOT NULL,
    events bigint NOT NULL,
    succeeded double precision NOT NULL,
    failed double precision NOT NULL,
    durations double precision NOT NULL,
    duration_sum double precision NOT NULL,
    duration_squares double precision NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (agent_id, type, capability)
  ) WITH (fillfactor = 70)`,
  // Which events are in it already, by the hour they happened in: the key alone finds those to forget.
  `CREATE TABLE folded_outcomes (
    hour int NOT NULL,
    task_id uuid NOT NULL,
    version int NOT NULL,
    PRIMARY KEY (hour, task_id, version)
  )`,
];

/** What was learned of agents from the ends of their tasks. */
export class Outcomes1765300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS folded_outcomes');
    await runner.query('DROP TABLE IF EXISTS agent_outcomes');
  }
}
