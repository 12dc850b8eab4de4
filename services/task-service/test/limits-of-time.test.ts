import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const read = async (taskId: string): Promise<Json> => (await fixture.http('GET', `/v1/tasks/${taskId}`)).body;

async function running(agentId: string, body: object) {
  const { epoch } = await hello(fixture, agentId);
  const taskId = await create(fixture, body);
  const { attempt } = await assign(fixture, taskId, agentId);
  await verb(fixture, agentId, 'start', { taskId, attempt, epoch });
  return { taskId, attempt, epoch };
}

describe('queueTimeout', () => {
  it('ends what waits too long, held back, blocked or queued, and nothing that is worked on', async () => {
    const busy = await running('busy', { queueTimeout: 0.5 });
    const waiting = [
      await create(fixture, { queueTimeout: 0.5 }),
      await create(fixture, { queueTimeout: 0.5, hold: true }),
      await create(fixture, { queueTimeout: 0.5, dependencies: [{ taskId: busy.taskId }] }),
    ];
    for (const taskId of waiting) {
      await until(async () => (await statusOf(fixture, taskId)) === 'failed');
      expect(await read(taskId)).toMatchObject({
        statusReason: 'expired',
        error: { code: 'expired', message: 'waited longer than 0.5 s', retryable: false },
      });
    }
    expect(await statusOf(fixture, busy.taskId)).toBe('in_progress');
  });

  it('counts each wait from its own beginning, not what was worked before it', async () => {
    const held = await running('pausing', { queueTimeout: 2 });
    const startedAt = performance.now();
    await until(() => performance.now() - startedAt > 2_100);
    await verb(fixture, 'pausing', 'block', { ...held, reason: 'external', question: 'the delivery' });
    const blockedAt = performance.now();
    await until(async () => (await statusOf(fixture, held.taskId)) === 'failed');
    expect(performance.now() - blockedAt).toBeGreaterThan(1_500);
  });
});

describe('progressTimeout', () => {
  it('spares who reports, without a write to the task for each report, and takes it from who falls silent', async () => {
    const held = await running('talking', {
      progressTimeout: 0.6,
      retryPolicy: { kind: 'fixed', baseSeconds: 0 },
    });
    const writes = new Set<string>();
    let reports = 0;
    await until(
      async () => {
        // Less than before is a sign of life as well.
        await verb(fixture, 'talking', 'progress', { ...held, percent: reports % 2 });
        reports += 1;
        const { rows } = await fixture.db.query('SELECT xmin::text FROM tasks WHERE id = $1', [held.taskId]);
        writes.add(rows[0].xmin);
        const { startedAt, progress } = await read(held.taskId);
        return Date.parse(progress.at) - Date.parse(startedAt) > 2_500;
      },
      { timeoutMs: 15_000 },
    );
    const { status, version } = await read(held.taskId);
    expect([status, version]).toEqual(['in_progress', 3]);
    expect(reports).toBeGreaterThan(2 * writes.size);
    await until(async () => (await statusOf(fixture, held.taskId)) === 'queued');
    expect(await read(held.taskId)).toMatchObject({
      statusReason: 'retry',
      retryCount: 1,
      error: { code: 'timeout', message: 'no progress reported for 0.6 s' },
    });
    expect((await verb(fixture, 'talking', 'complete', held)).error.code).toBe('STALE_ATTEMPT');
  });
});

describe('a limit of others', () => {
  const error = { code: 'rate_limited', message: 'the model answered 429', retryAfter: 0.4 };

  it('is waited out without burning a retry, however often', async () => {
    const first = await running('limited', { maxRetries: 0 });
    const answer = await verb(fixture, 'limited', 'fail', { ...first, error });
    expect(answer).toMatchObject({ ok: true, status: 'queued' });
    const waiting = await read(first.taskId);
    expect(waiting).toMatchObject({ statusReason: 'rate_limited', retryCount: 0, error });
    const { body } = await fixture.http('GET', `/v1/tasks/${first.taskId}/decision`);
    expect(body.waiting).toMatchObject({ reason: 'RATE_LIMITED' });
    await until(async () => (await read(first.taskId)).statusReason === 'due');
    const { attempt } = await assign(fixture, first.taskId, 'limited');
    expect(await verb(fixture, 'limited', 'fail', { ...first, attempt, error })).toMatchObject({
      status: 'queued',
    });
    expect(await read(first.taskId)).toMatchObject({ statusReason: 'rate_limited', retryCount: 0 });
  });

  it('is a failure like others without the time to wait, or when another try is no use', async () => {
    const { retryAfter: _, ...untimed } = error;
    const one = await running('untimed', { maxRetries: 0 });
    await verb(fixture, 'untimed', 'fail', { ...one, error: untimed });
    expect(await read(one.taskId)).toMatchObject({ status: 'failed', statusReason: 'retries_exhausted' });
    const other = await running('final', {});
    await verb(fixture, 'final', 'fail', { ...other, error: { ...error, retryable: false } });
    expect(await read(other.taskId)).toMatchObject({ status: 'failed', statusReason: 'not_retryable' });
  });
});

describe('afterwards', () => {
  it('every task replays from its history', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBe(9);
  });
});
