import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ARCHIVED_TABLES, columnsOf } from '../archive-tables.js';

/**
 * What became of each month of the archive; its tables are made by `ensureArchive`, from those they are the archive
 * of. `open`: tasks come and may go back; `exporting`: read only, being written out; `exported`: the file is on
 * disk, the tables may go; `dropped`.
 */
export class History1764600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE archive_months (
      month date PRIMARY KEY,
      state text NOT NULL DEFAULT 'open' CHECK (state IN ('open','exporting','exported','dropped')),
      file text,
      sha256 text,
      bytes bigint,
      tasks bigint,
      changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CHECK ((state IN ('exported','dropped')) = (sha256 IS NOT NULL))
    )`);
  }

  /** Everything that is in the archive goes back to where it was. */
  async down(runner: QueryRunner): Promise<void> {
    for (const { table } of ARCHIVED_TABLES) {
      const [found] = await runner.query(`SELECT to_regclass('archived_${table}') AS name`);
      if (found.name === null) continue;
      const columns = (await runner.query(columnsOf(table))).map(({ name }: { name: string }) => name);
      await runner.query(`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM archived_${table}`);
      await runner.query(`DROP TABLE archived_${table}`);
    }
    await runner.query('DROP TABLE IF EXISTS archive_months');
  }
}
