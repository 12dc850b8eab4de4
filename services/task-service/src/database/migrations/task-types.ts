import type { MigrationInterface, QueryRunner } from 'typeorm';
import { buildIndex, dropIndex } from '../concurrently.js';

const STATEMENTS = [
  `CREATE TABLE IF NOT EXISTS task_types (
    type text PRIMARY KEY,
    version int NOT NULL CHECK (version >= 1),
    input_schema json,
    result_schema json,
    defaults json NOT NULL,
    paused boolean NOT NULL,
    max_concurrent int CHECK (max_concurrent >= 1),
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL
  )`,
  // Rises with every change of a type or of the pause: by it replicas see that what they keep is old.
  `INSERT INTO settings VALUES ('task_types_revision', '0') ON CONFLICT DO NOTHING`,
];

/** Registered task types, and the index by which their concurrency was limited at first. */
export class TaskTypes1764500000000 implements MigrationInterface {
  /** An index is built beside running replicas only outside a transaction; every statement may be repeated. */
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    await buildIndex(runner, 'tasks_held_type', `tasks (type) WHERE status IN ('assigned','in_progress')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropIndex(runner, 'tasks_held_type');
    await runner.query('DROP TABLE IF EXISTS task_types');
    await runner.query(`DELETE FROM settings WHERE name IN ('task_types_revision', 'paused')`);
  }
}
