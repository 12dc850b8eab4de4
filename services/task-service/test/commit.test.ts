import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DomainError } from '@baton/contracts';
import { createTestDatabase, type TestDatabase } from '@baton/testkit';
import { pino } from 'pino';
import { v7 } from 'uuid';
import { createPool, type Client, type Pool } from '../src/database/database.js';
import { runBatch } from '../src/write-path/pipeline.js';
import type { Settled, Submission } from '../src/write-path/submission.js';
import { migrateEmpty } from './fixture.js';
import { newTaskFixture } from './task.fixture.js';

/** What becomes of a batch whose transaction does not end in the ordinary way; on a real database. */
const logger = pino({ level: 'silent' });
let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase({ schema: 'task_service', migrate: migrateEmpty });
});
beforeEach(() => {
  pool = createPool({ url: database.url, size: 4, onError: () => undefined });
});
afterAll(() => database.close());

const create = (title: string): Submission => ({
  command: { kind: 'create', tasks: [newTaskFixture({ id: v7(), title })] },
  actor: 'user:test',
  traceparent: null,
  commandId: null,
  bytes: 0,
});

async function run(submissions: readonly Submission[]): Promise<Map<Submission, Settled>> {
  const settled = new Map<Submission, Settled>();
  await runBatch(pool, logger, submissions, (part, written) => {
    part.forEach((submission, index) => {
      const outcome = written.settled[index];
      if (outcome !== undefined) settled.set(submission, outcome);
    });
  });
  return settled;
}

async function titles(): Promise<readonly string[]> {
  const { rows } = await pool.query<{ title: string }>('SELECT title FROM tasks ORDER BY id');
  return rows.map(({ title }) => title);
}

/** Makes the next COMMIT lose its connection, after or before the server got it. */
function loseNextCommit(when: 'after' | 'before'): void {
  pool.once('acquire', (client: Client) => {
    const query = client.query.bind(client) as (text: unknown) => Promise<unknown>;
    const lose = async (text: unknown) => {
      if (text !== 'COMMIT') return query(text);
      if (when === 'after') await query(text);
      Object.assign(client, { query });
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
      throw new Error('Connection terminated unexpectedly');
    };
    Object.assign(client, { query: lose });
  });
}

describe('a connection lost during COMMIT', () => {
  it('is found committed when the server had done it: answered once, written once', async () => {
    const submission = create('committed');
    loseNextCommit('after');
    const settled = (await run([submission])).get(submission);
    expect(settled).toMatchObject({ accepted: [{ status: 'queued', version: 1 }] });
    expect((await titles()).filter((title) => title === 'committed')).toHaveLength(1);
    await pool.end();
  });

  it('is written again when the server had not', async () => {
    const submission = create('again');
    loseNextCommit('before');
    expect((await run([submission])).get(submission)).toMatchObject({ accepted: [{ version: 1 }] });
    expect((await titles()).filter((title) => title === 'again')).toHaveLength(1);
    await pool.end();
  });
});

describe('one idempotency key twice in a batch', () => {
  it('stays with the request that was accepted when another body is refused', async () => {
    const keyed = (title: string, fingerprint: string): Submission => ({
      ...create(title),
      idempotency: { scope: 'user:test', key: 'twice', fingerprint },
    });
    const [first, other] = [keyed('first body', 'a'), keyed('other body', 'b')];
    const together = await run([first, other]);
    expect(together.get(first)).toMatchObject({ replayed: false, accepted: [{ version: 1 }] });
    expect(together.get(other)).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    const later = keyed('first body', 'a');
    expect((await run([later])).get(later)).toMatchObject({ replayed: true });
    expect((await titles()).filter((title) => title === 'first body')).toHaveLength(1);
    await pool.end();
  });
});

describe('a batch the database refuses', () => {
  it('is cut until only the command at fault fails', async () => {
    const submissions = Array.from({ length: 9 }, (_, index) => create(`part ${index}`));
    // Past every check of ours, as a fault in one would let it: the column takes 255 characters.
    submissions[4] = create('x'.repeat(300));
    const settled = await run(submissions);
    const refused = submissions.filter((submission) => settled.get(submission) instanceof DomainError);
    expect(refused).toEqual([submissions[4]]);
    expect((await titles()).filter((title) => title.startsWith('part'))).toHaveLength(8);
    await pool.end();
  });

  it('is refused as unavailable, retryable, when the database cannot be reached', async () => {
    await pool.end();
    pool = createPool({ url: 'postgresql://nobody@127.0.0.1:9/nothing', size: 1, onError: () => undefined });
    const submission = create('nowhere');
    const refusal = (await run([submission])).get(submission);
    expect(refusal).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1_000 });
    await pool.end();
  });
});
