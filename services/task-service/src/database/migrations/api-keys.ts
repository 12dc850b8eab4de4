import type { MigrationInterface, QueryRunner } from 'typeorm';

/** API keys: of each only the SHA-256, by which it is found. */
export class ApiKeys1765800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE api_keys (
      id uuid PRIMARY KEY,
      name text NOT NULL UNIQUE,
      role text NOT NULL CHECK (role IN ('admin','operator','viewer','agent')),
      agent_id text,
      hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
      hint text NOT NULL,
      created_by text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      expires_at timestamptz,
      last_used_at timestamptz,
      revoked_at timestamptz,
      CHECK ((role = 'agent') = (agent_id IS NOT NULL))
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS api_keys');
  }
}
