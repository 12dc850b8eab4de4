import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import pg from 'pg';
import { create } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

let fixture: Fixture;
let superuser: pg.Client;
beforeAll(async () => {
  fixture = await startFixture();
  superuser = new pg.Client({ connectionString: fixture.databaseUrl.replace(/[^/]+$/, 'postgres') });
  await superuser.connect();
});
afterAll(async () => {
  await superuser.end();
  await fixture.close();
});

const health = async (): Promise<Json> => {
  const response = await fetch(`${fixture.replicas[0]?.operationsUrl}/readyz?verbose`);
  return { status: response.status, ...((await response.json()) as object) };
};
const well = {
  status: 200,
  failed: [],
  degraded: [],
  checks: { postgres: 'ok', migrations: 'ok', nats: 'ok', reactors: 'ok', outbox: 'ok' },
};
const becomesWell = async (): Promise<void> => {
  await until(async () => (await health()).status === 200 && (await health()).degraded.length === 0);
  expect(await health()).toMatchObject(well);
};

describe('the readiness of task-service', () => {
  it('tells of all that it needs', async () => {
    await until(async () => (await health()).degraded.length === 0);
    expect(await health()).toMatchObject(well);
  });

  it('stays while NATS is away, since tasks are created nevertheless', async () => {
    await fixture.nats.stop();
    await until(async () => (await health()).degraded.length === 2);
    expect(await health()).toMatchObject({
      status: 200,
      degraded: ['nats', 'reactors'],
      checks: { nats: 'not connected to NATS', reactors: 'the consumer of task events is not being read' },
    });
    await create(fixture);
    await fixture.db.query(`UPDATE outbox SET created_at = created_at - interval '40 seconds'`);
    await until(async () => (await health()).degraded.includes('outbox'));
    const { status, checks } = await health();
    expect(status).toBe(200);
    expect(checks.outbox).toMatch(/^the oldest unpublished event is 4\d s old$/);
    await fixture.nats.restart('kept');
    await becomesWell();
  });

  it('ends with the database, and comes back with it', async () => {
    const name = new URL(fixture.databaseUrl).pathname.slice(1);
    await superuser.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await superuser.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2`,
      [name, (fixture.db as Json).processID],
    );
    // Each check asks once a second, for itself.
    await until(async () => (await health()).failed.includes('postgres'));
    expect((await health()).status).toBe(503);
    expect((await fetch(`${fixture.replicas[0]?.operationsUrl}/livez`)).status).toBe(200);
    await superuser.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    await becomesWell();
  });

  it('ends when the schema is older than the build, not when it is newer', async () => {
    const { rows } = await fixture.db.query('DELETE FROM task_service_migrations RETURNING timestamp, name');
    await until(async () => (await health()).status === 503);
    const names = rows.map(({ name }) => name).join(', ');
    expect((await health()).checks.migrations).toBe(`the schema lacks ${names}; run npm run migrate`);
    for (const row of [...rows, { timestamp: '9999999999999', name: 'Later9999999999999' }]) {
      await fixture.db.query('INSERT INTO task_service_migrations (timestamp, name) VALUES ($1, $2)', [
        row.timestamp,
        row.name,
      ]);
    }
    await becomesWell();
  });
});
