import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tokens by which agents enrol themselves, what they were granted, and the keys that they log in to NATS with. */
export class Enrolment1766500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE enrolment_tokens (
      id uuid PRIMARY KEY,
      agent_id text,
      hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
      hint text NOT NULL,
      capabilities json,
      max_concurrent integer,
      created_by text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      expires_at timestamptz NOT NULL,
      used_by text,
      used_key text,
      used_at timestamptz,
      revoked_at timestamptz,
      CHECK ((used_by IS NULL) = (used_key IS NULL) AND (used_by IS NULL) = (used_at IS NULL))
    )`);
    await runner.query(`CREATE TABLE agent_enrolments (
      agent_id text PRIMARY KEY,
      capabilities json,
      max_concurrent integer,
      revoked_at timestamptz
    )`);
    await runner.query(`CREATE TABLE agent_credentials (
      user_key text PRIMARY KEY,
      agent_id text NOT NULL,
      issued_by text NOT NULL,
      issued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      expires_at timestamptz NOT NULL,
      revoked_at timestamptz
    )`);
    await runner.query('CREATE INDEX agent_credentials_by_agent ON agent_credentials (agent_id)');
    await runner.query('CREATE INDEX agent_credentials_by_expiry ON agent_credentials (expires_at)');
    await runner.query(
      'CREATE INDEX agent_credentials_revoked ON agent_credentials (expires_at) WHERE revoked_at IS NOT NULL',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS agent_credentials');
    await runner.query('DROP TABLE IF EXISTS agent_enrolments');
    await runner.query('DROP TABLE IF EXISTS enrolment_tokens');
  }
}
