import type { MigrationInterface, QueryRunner } from 'typeorm';

const INDEXES = { audit_log_actor: 'audit_log (actor, id)', audit_log_action: 'audit_log (action, id)' };

/** Ids of agents that were removed, and ways into the audit log. Indexes are built while others write. */
export class RemovedAgents1765100000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE IF NOT EXISTS removed_agents (
      id varchar(64) PRIMARY KEY,
      removed_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )`);
    for (const [name, definition] of Object.entries(INDEXES)) {
      // One that was broken off is left behind unusable.
      await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
      await runner.query(`CREATE INDEX CONCURRENTLY ${name} ON ${definition}`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of Object.keys(INDEXES)) await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
    await runner.query('DROP TABLE IF EXISTS removed_agents');
  }
}
