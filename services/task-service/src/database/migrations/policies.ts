import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Policies somebody put, by which agents are chosen. */
export class Policies1765310000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE policies (
      name text PRIMARY KEY,
      version int NOT NULL CHECK (version >= 1),
      kind text NOT NULL,
      weights json NOT NULL,
      updated_at timestamptz NOT NULL,
      updated_by text NOT NULL
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS policies');
  }
}
