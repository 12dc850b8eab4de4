import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the deleted tasks of a tree with a budget used, by its root: a delete gives nothing of a budget back. */
export class DeletedUsage1765200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE deleted_usage (
      task_id uuid PRIMARY KEY,
      tasks bigint NOT NULL,
      tokens bigint NOT NULL,
      cost_usd double precision NOT NULL
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS archived_deleted_usage, deleted_usage');
  }
}
