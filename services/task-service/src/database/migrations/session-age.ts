import type { MigrationInterface, QueryRunner } from 'typeorm';

/** By which housekeeping finds the sessions of processes long gone. */
export class SessionAge1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX agent_sessions_age ON agent_sessions (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX IF EXISTS agent_sessions_age');
  }
}
