import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Entries are kept for 90 days, by the time that their ids begin with; their seals a day longer. */
const KEPT = `(lpad(to_hex((extract(epoch FROM clock_timestamp() - interval '90 days') * 1000)::bigint), 12, '0')
  || repeat('0', 20))::uuid`;

const STATEMENTS = [
  `CREATE TABLE audit_seals (
    seq bigint PRIMARY KEY,
    entry_id uuid NOT NULL UNIQUE,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp()
  )`,
  `CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION '% of % is refused: what happened is written once', TG_OP, TG_TABLE_NAME
      USING ERRCODE = 'insufficient_privilege';
  END $$`,
  ...['audit_log', 'audit_seals', 'task_events'].map(
    (table) => `CREATE TRIGGER written_once BEFORE UPDATE ON ${table}
      FOR EACH ROW EXECUTE FUNCTION refuse_rewriting()`,
  ),
  ...['audit_log', 'audit_seals'].flatMap((table) => [
    `CREATE TRIGGER kept BEFORE DELETE ON ${table} FOR EACH ROW
      WHEN (OLD.${table === 'audit_log' ? 'id' : 'entry_id'} >= ${KEPT}) EXECUTE FUNCTION refuse_rewriting()`,
    `CREATE TRIGGER kept_whole BEFORE TRUNCATE ON ${table}
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()`,
  ]),
];

/**
 * What happened is written once: the audit log refuses changes, and deletion before its time; histories refuse changes
 * (they move to the archive and are deleted with it). Seals chain the entries of the audit log.
 */
export class AuditSeals1766600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS audit_seals');
    await runner.query('DROP FUNCTION IF EXISTS refuse_rewriting CASCADE');
  }
}
