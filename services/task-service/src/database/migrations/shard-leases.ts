import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS = [
  // A lease holds while its owner's row in distributors is there and `until` lies ahead: to renew all leases of a
  // distributor is to write one row. The epoch counts the owners a shard has had.
  `CREATE TABLE shard_leases (
    shard int PRIMARY KEY CHECK (shard BETWEEN 0 AND 63),
    owner uuid,
    epoch int NOT NULL CHECK (epoch >= 0)
  )`,
  `INSERT INTO shard_leases SELECT shard, NULL, 0 FROM generate_series(0, 63) AS shard`,
  `CREATE TABLE distributors (
    instance uuid PRIMARY KEY,
    until timestamptz NOT NULL
  )`,
];

/** Who owns which shard of the agents. */
export class ShardLeases1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['distributors', 'shard_leases']) await runner.query(`DROP TABLE IF EXISTS ${table}`);
  }
}
