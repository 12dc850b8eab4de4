import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asAdmin } from '@baton/testkit';
import { LIMITS } from '@baton/contracts';
import { startFixture, type Fixture, type Json } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const LARGE_MS = 60_000;
const batch = (body: object) => fixture.http('POST', '/v1/tasks/batch', body);

/** Text that does not compress, as long as a description may be. */
const description = () => randomBytes((LIMITS.descriptionBytes / 4) * 3).toString('base64');

const largest = (type: string): Json[] =>
  Array.from({ length: LIMITS.batchTasks }, () => ({
    title: 'A task',
    type,
    description: description(),
  }));

/** What a request that announces so many bytes is answered before it sends them. */
function announced(path: string, bytes: number): Promise<number | undefined> {
  const headers = { ...asAdmin, 'content-type': 'application/json', 'content-length': String(bytes) };
  return new Promise((answered, failed) => {
    const asking = request(
      `${fixture.replicas[0]?.httpUrl}${path}`,
      { method: 'POST', headers },
      (response) => {
        answered(response.statusCode);
        asking.destroy();
      },
    );
    asking.once('error', failed);
    asking.flushHeaders();
  });
}

async function expectWritten(type: string, tasks: readonly Json[], ids: readonly string[]): Promise<void> {
  const text = `SELECT count(*)::int AS tasks, sum(octet_length(description))::int AS bytes,
    (SELECT count(*)::int FROM task_events e JOIN tasks t ON t.id = e.task_id WHERE t.type = $1) AS events
    FROM tasks WHERE type = $1`;
  const { rows } = await fixture.db.query(text, [type]);
  const bytes = LIMITS.batchTasks * LIMITS.descriptionBytes;
  expect(rows).toEqual([{ tasks: LIMITS.batchTasks, bytes, events: LIMITS.batchTasks }]);
  expect(new Set(ids).size).toBe(LIMITS.batchTasks);
  for (const index of [0, 499, 999]) {
    const { body } = await fixture.http('GET', `/v1/tasks/${ids[index]}`);
    expect(body.description === tasks[index].description).toBe(true);
  }
}

describe('a batch of 1,000 tasks with the longest descriptions', () => {
  it(
    'is created each on its own, and answers are in their order',
    async () => {
      const tasks = largest('each');
      const { status, body } = await batch({ tasks: [...tasks.slice(0, 999), { ...tasks[999], title: '' }] });
      expect([status, body.summary]).toEqual([200, { succeeded: 999, failed: 1 }]);
      expect(body.results[999].error.code).toBe('VALIDATION_FAILED');
      const last = await batch({ tasks: tasks.slice(999) });
      await expectWritten(
        'each',
        tasks,
        [...body.results.slice(0, 999), last.body.results[0]].map(({ id }: Json) => id),
      );
    },
    LARGE_MS,
  );

  it(
    'is created all or none, once for one key',
    async () => {
      const tasks = largest('atomic');
      const refused = await batch({
        atomic: true,
        tasks: [...tasks.slice(0, 999), { ...tasks[999], title: '' }],
      });
      expect([refused.status, refused.body.errors[0].pointer]).toEqual([400, '/tasks/999/title']);
      const key = { 'idempotency-key': 'large' };
      const send = () => fixture.http('POST', '/v1/tasks/batch', { atomic: true, tasks }, key);
      const { status, body } = await send();
      expect(status).toBe(201);
      expect((await send()).body).toEqual(body);
      await expectWritten(
        'atomic',
        tasks,
        body.tasks.map(({ id }: Json) => id),
      );
    },
    LARGE_MS,
  );

  it(
    'is taken one at a time, ordinary ones beside it',
    async () => {
      const text = JSON.stringify({ atomic: true, tasks: largest('beside') });
      const send = () => fixture.http('POST', '/v1/tasks/batch', text);
      const [answers, small] = await Promise.all([
        Promise.all([send(), send(), send()]),
        batch({ tasks: [{ title: 'small' }] }),
      ]);
      expect(small.status).toBe(200);
      const taken = answers.filter(({ status }) => status === 201).length;
      expect(taken).toBeGreaterThan(0);
      for (const { status, headers } of answers) {
        expect([201, 503]).toContain(status);
        if (status === 503) expect(headers.get('retry-after')).toBe('2');
      }
      const { rows } = await fixture.db.query(`SELECT count(*)::int AS n FROM tasks WHERE type = 'beside'`);
      expect(rows[0].n).toBe(taken * LIMITS.batchTasks);
      expect((await send()).status).toBe(201);
    },
    LARGE_MS,
  );

  it(
    'is as large as a body may be; that of another request is not',
    async () => {
      const padded = (bytes: number) => `{"tasks":[{"title":"x"}]${' '.repeat(bytes - 25)}}`;
      expect((await fixture.http('POST', '/v1/tasks/batch', padded(LIMITS.batchBodyBytes))).status).toBe(200);
      const task = (bytes: number) => `{"title":"x"${' '.repeat(bytes - 13)}}`;
      expect((await fixture.http('POST', '/v1/tasks', task(LIMITS.httpBodyBytes))).status).toBe(201);
      expect(await announced('/v1/tasks/batch', LIMITS.batchBodyBytes + 1)).toBe(413);
      expect(await announced('/v1/tasks', LIMITS.httpBodyBytes + 1)).toBe(413);
    },
    LARGE_MS,
  );
});
