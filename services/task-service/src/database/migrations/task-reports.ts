import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What holders leave with their tasks; empty, and never written, for tasks whose agents leave nothing. */
const STATEMENTS = [
  `CREATE TABLE task_logs (
    task_id uuid NOT NULL,
    number int NOT NULL,
    command_id uuid NOT NULL,
    attempt int NOT NULL,
    level text NOT NULL,
    message text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (task_id, number),
    UNIQUE (task_id, command_id)
  )`,
  `CREATE TABLE task_artifacts (
    task_id uuid NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    media_type text,
    bytes bigint,
    attempt int NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (task_id, name)
  )`,
  `CREATE TABLE task_checkpoints (
    task_id uuid PRIMARY KEY,
    attempt int NOT NULL,
    value json NOT NULL,
    at timestamptz NOT NULL
  )`,
];

const TABLES = ['task_checkpoints', 'task_artifacts', 'task_logs'];

/** The log, the artifacts and the checkpoint of tasks. */
export class TaskReports1766200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TABLE IF EXISTS ${table}`);
  }
}
