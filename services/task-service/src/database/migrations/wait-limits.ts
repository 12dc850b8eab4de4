import type { MigrationInterface, QueryRunner } from 'typeorm';

const COLUMNS = ['queue_timeout', 'progress_timeout'];

/** How long a task may wait, and may be worked on without a word. Columns without a default: no row is rewritten. */
export class WaitLimits1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const name of COLUMNS) await runner.query(`ALTER TABLE tasks ADD COLUMN ${name} double precision`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of COLUMNS) await runner.query(`ALTER TABLE tasks DROP COLUMN IF EXISTS ${name}`);
  }
}
