import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS = [
  // Constant defaults: no row is rewritten, and replicas of the version before go on inserting.
  `ALTER TABLE tasks
    ADD COLUMN pinned_to varchar(64),
    ADD COLUMN pinned_until timestamptz,
    ADD COLUMN delegation_chain json NOT NULL DEFAULT '[]',
    ADD COLUMN return_to varchar(64),
    ADD COLUMN budget json`,
  // Drained by an operator: no hello of any process of the agent ends that.
  `ALTER TABLE agents ADD COLUMN drained boolean NOT NULL DEFAULT false`,
  `CREATE TABLE agent_completions (agent_id varchar(64) PRIMARY KEY, completed bigint NOT NULL)`,
  // What attempts cost, as their agents told: cumulative per attempt, the maximum of all that was told.
  `CREATE TABLE task_usage (
    task_id uuid NOT NULL,
    attempt int NOT NULL,
    root_task_id uuid NOT NULL,
    agent_id varchar(64) NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost_usd double precision NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (task_id, attempt)
  )`,
  `CREATE INDEX task_usage_tree ON task_usage (root_task_id)`,
];

const REVERSE = [
  'DROP TABLE IF EXISTS task_usage',
  'DROP TABLE IF EXISTS agent_completions',
  'ALTER TABLE agents DROP COLUMN IF EXISTS drained',
  `UPDATE tasks SET backlog_class = needs_class WHERE backlog_class LIKE 'pin:%'`,
  `ALTER TABLE tasks DROP COLUMN IF EXISTS pinned_to, DROP COLUMN IF EXISTS pinned_until,
    DROP COLUMN IF EXISTS delegation_chain, DROP COLUMN IF EXISTS return_to, DROP COLUMN IF EXISTS budget`,
];

/** Tasks that wait for one agent or were handed on, what attempts cost, drained agents. */
export class Delegation1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of REVERSE) await runner.query(statement);
  }
}
