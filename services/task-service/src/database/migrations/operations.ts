import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  `CREATE TABLE operations (
    id uuid PRIMARY KEY,
    action text NOT NULL,
    q text NOT NULL,
    parameters json NOT NULL,
    actor text NOT NULL,
    traceparent text,
    status text NOT NULL CHECK (status IN ('running','cancelling','done','cancelled','failed')),
    expected int NOT NULL,
    is_estimate boolean NOT NULL,
    position uuid,
    chunk json,
    matched int NOT NULL DEFAULT 0,
    done int NOT NULL DEFAULT 0,
    refused json NOT NULL DEFAULT '{}',
    error json,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    claimed_until timestamptz NOT NULL DEFAULT clock_timestamp(),
    epoch int NOT NULL DEFAULT 0,
    CHECK ((status IN ('running','cancelling')) = (ended_at IS NULL))
  )`,
  `CREATE INDEX operations_open ON operations (updated_at) WHERE ended_at IS NULL`,
];

/** Changes of all tasks of a filter, and how far they are. */
export class Operations1764110000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS operations');
  }
}
