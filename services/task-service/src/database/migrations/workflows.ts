import type { MigrationInterface, QueryRunner } from 'typeorm';

// Checks are not validated: the rows that are there meet them by what they could be, and reading them through would
// hold the table's lock meanwhile.
const UP = [
  `ALTER TABLE task_dependencies
    DROP CONSTRAINT task_dependencies_policy_check,
    ADD CONSTRAINT task_dependencies_policy_check CHECK (policy IN ('fail','cancel','ignore','wait')) NOT VALID`,
  // How many children a task blocked for its children waits for: a number, or "all".
  `ALTER TABLE tasks ADD COLUMN awaited_children json,
    ADD CONSTRAINT tasks_awaiting CHECK ((awaited_children IS NOT NULL) =
      (status = 'blocked' AND coalesce(status_reason, '') = 'children')) NOT VALID`,
];

const DOWN = [
  'ALTER TABLE tasks DROP COLUMN awaited_children',
  // The older version knows one policy: an edge of another would be a fault to it.
  `UPDATE task_dependencies SET policy = 'fail' WHERE policy <> 'fail'`,
  `ALTER TABLE task_dependencies
    DROP CONSTRAINT task_dependencies_policy_check,
    ADD CONSTRAINT task_dependencies_policy_check CHECK (policy = 'fail')`,
];

/** The four policies of an edge, and tasks that wait for their children. */
export class Workflows1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}
