import { LIMITS } from '@baton/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { until } from '@baton/testkit';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { archive, restore } from './history.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

type Hold = { readonly taskId: string; readonly attempt: number; readonly epoch: number };

async function running(agentId: string): Promise<Hold> {
  const { epoch } = await hello(fixture, agentId);
  const taskId = await create(fixture);
  const { attempt } = await assign(fixture, taskId, agentId);
  await verb(fixture, agentId, 'start', { taskId, attempt, epoch });
  return { taskId, attempt, epoch };
}

const read = async (taskId: string): Promise<Json> => (await fixture.http('GET', `/v1/tasks/${taskId}`)).body;
const linesOf = async (taskId: string, after = 0): Promise<Json[]> =>
  (await fixture.http('GET', `/v1/tasks/${taskId}/logs?after=${after}`)).body.data;
const items = (agentId: string, name: string, list: readonly object[]): Promise<Json> =>
  fixture.ask(`agent.${agentId}.task.${name}`, {
    items: list.map((item) => ({ commandId: randomUUID(), ...item })),
  });
const link = (name: string) => ({ name, url: `https://files.example.org/${name}` });

describe('the log of a task', () => {
  it('keeps lines in the order they were told, each once, and gives them in pages', async () => {
    const hold = await running('logger');
    const line = { ...hold, commandId: randomUUID(), message: 'begun' };
    for (let time = 0; time < 2; time += 1) {
      const answer = await verb(fixture, 'logger', 'log', line);
      expect(answer).toMatchObject({ ok: true, taskId: hold.taskId, status: 'in_progress', version: 3 });
    }
    const told = ['warn', 'error', 'debug'].map((level) => ({ ...hold, level, message: `a ${level}` }));
    await items('logger', 'log', [...told, line, line]);
    const lines = await linesOf(hold.taskId);
    expect(lines.map(({ number, level, message }: Json) => [number, level, message])).toEqual([
      [1, 'info', 'begun'],
      [2, 'warn', 'a warn'],
      [3, 'error', 'a error'],
      [4, 'debug', 'a debug'],
    ]);
    expect(await linesOf(hold.taskId, 3)).toEqual(lines.slice(3));
    expect((await fixture.http('GET', `/v1/tasks/${randomUUID()}/logs`)).body.code).toBe('TASK_NOT_FOUND');
  });

  it('has numbers without gaps, told over two replicas at once, up to its limit', async () => {
    const hold = await running('chatty');
    const messages = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ ...hold, message: `line ${index}` }));
    await Promise.all([1, 2, 3, 4].map(() => items('chatty', 'log', messages(LIMITS.logLines / 4 - 1))));
    const answer = await items('chatty', 'log', messages(6));
    const codes = answer.items.map(({ ok, error }: Json) => (ok ? 'ok' : error.code));
    expect(codes).toEqual([...Array(4).fill('ok'), 'TOO_MANY_LOG_LINES', 'TOO_MANY_LOG_LINES']);
    const { rows } = await fixture.db.query(
      'SELECT count(*)::int AS lines, max(number) AS last FROM task_logs WHERE task_id = $1',
      [hold.taskId],
    );
    expect(rows).toEqual([{ lines: LIMITS.logLines, last: LIMITS.logLines }]);
    expect(await linesOf(hold.taskId)).toHaveLength(500);
  });
});

describe('the artifacts of a task', () => {
  it('are as many as may be, the latest of each name', async () => {
    const hold = await running('maker');
    const first = { ...link('a'), mediaType: 'text/plain', bytes: 2 ** 40 };
    await verb(fixture, 'maker', 'artifact', { ...hold, artifact: link('a') });
    await verb(fixture, 'maker', 'artifact', { ...hold, artifact: first });
    expect((await read(hold.taskId)).artifacts).toEqual([{ ...first, attempt: 1, at: expect.any(String) }]);
    const more = Array.from({ length: LIMITS.artifacts }, (_, index) => ({
      ...hold,
      artifact: link(`b${index}`),
    }));
    const answer = await items('maker', 'artifact', [...more, { ...hold, artifact: link('a') }]);
    const codes = answer.items.map(({ ok, error }: Json) => (ok ? 'ok' : error.code));
    expect(codes).toEqual([...Array(LIMITS.artifacts - 1).fill('ok'), 'TOO_MANY_ARTIFACTS', 'ok']);
    expect((await read(hold.taskId)).artifacts).toHaveLength(LIMITS.artifacts);
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'https://exa mple.org', 'files/a'])(
    'are not at %s',
    async (url) => {
      const hold = await running('unsafe');
      const answer = await verb(fixture, 'unsafe', 'artifact', { ...hold, artifact: { name: 'a', url } });
      expect(answer.error.code).toBe('VALIDATION_FAILED');
    },
  );
});

describe('a checkpoint', () => {
  it('is handed over with the next offer, the latest alone, until one says that there is none', async () => {
    const hold = await running('first');
    for (const page of [3, 8]) await verb(fixture, 'first', 'checkpoint', { ...hold, checkpoint: { page } });
    expect((await read(hold.taskId)).checkpoint).toMatchObject({ value: { page: 8 }, attempt: 1 });
    const next = async (from: Hold, name: string, agentId: string): Promise<Json> => {
      await verb(fixture, name, 'return', { ...from, reason: 'declined' });
      const offers = (await fixture.connectionOf(agentId)).subscribe(`agent.${agentId}.offer`, { max: 1 });
      const { epoch } = await hello(fixture, agentId);
      const { attempt } = await assign(fixture, from.taskId, agentId);
      for await (const message of offers) {
        const { assignments } = message.json<Json>();
        message.respond(JSON.stringify({ accepted: [from.taskId], rejected: [] }));
        await verb(fixture, agentId, 'start', { taskId: from.taskId, attempt, epoch });
        return { offered: assignments[0], hold: { taskId: from.taskId, attempt, epoch } };
      }
    };
    const second = await next(hold, 'first', 'second');
    expect(second.offered).toMatchObject({ attempt: 2, checkpoint: { page: 8 } });
    await verb(fixture, 'second', 'checkpoint', { ...second.hold, checkpoint: null });
    const third = await next(second.hold, 'second', 'third');
    expect(third.offered).not.toHaveProperty('checkpoint');
  });

  it('is as large as a payload may be, and not larger', async () => {
    const hold = await running('large');
    const of = (bytes: number) =>
      verb(fixture, 'large', 'checkpoint', { ...hold, checkpoint: 'x'.repeat(bytes - 2) });
    expect((await of(LIMITS.payloadBytes)).ok).toBe(true);
    expect((await of(LIMITS.payloadBytes + 1)).error.code).toBe('VALIDATION_FAILED');
  });
});

describe('what a holder leaves', () => {
  const REPORTS = [
    ['log', { message: 'x' }],
    ['artifact', { artifact: link('x') }],
    ['checkpoint', { checkpoint: 1 }],
  ] as const;

  it.each(REPORTS)('is taken from the holder alone, while it works: %s', async (name, said) => {
    const hold = await running(`holder-${name}`);
    const tell = async (from: Partial<Hold>, by = `holder-${name}`): Promise<string> =>
      (await verb(fixture, by, name, { ...hold, ...from, ...said })).error?.code ?? 'ok';
    const other = await running(`other-${name}`);
    const assigned = await create(fixture);
    const { attempt } = await assign(fixture, assigned, `holder-${name}`);
    expect(await tell({ taskId: assigned, attempt })).toBe('TASK_STATE_CONFLICT');
    expect(await tell({ attempt: 2 })).toBe('STALE_ATTEMPT');
    expect(await tell({ epoch: hold.epoch + 1 })).toBe('STALE_SESSION');
    expect(await tell({ taskId: randomUUID() })).toBe('TASK_NOT_FOUND');
    expect(await tell({ epoch: other.epoch }, `other-${name}`)).not.toBe('ok');
    expect(await tell({})).toBe('ok');
    await verb(fixture, `holder-${name}`, 'complete', hold);
    expect(await tell({})).toBe('TASK_STATE_CONFLICT');
    const task = await read(hold.taskId);
    const count = (await linesOf(hold.taskId)).length + task.artifacts.length + (task.checkpoint ? 1 : 0);
    expect(count).toBe(1);
  });

  it('goes to the archive and back with its task, and with it when it is deleted', async () => {
    const hold = await running('whole');
    for (const [name, said] of REPORTS) await verb(fixture, 'whole', name, { ...hold, ...said });
    await verb(fixture, 'whole', 'complete', hold);
    const seen = async () => [await read(hold.taskId), await linesOf(hold.taskId)];
    const before = await seen();
    expect(before[0]).toMatchObject({ artifacts: [{ name: 'x' }], checkpoint: { value: 1 } });
    await until(async () => (await archive(fixture.databaseUrl)) > 0 || (await read(hold.taskId)).archived);
    expect(await seen()).toEqual([{ ...before[0], archived: true }, before[1]]);
    await restore(fixture.databaseUrl, [hold.taskId]);
    expect(await seen()).toEqual(before);
    expect((await fixture.http('DELETE', `/v1/tasks/${hold.taskId}`)).status).toBe(204);
    for (const table of ['task_logs', 'task_artifacts', 'task_checkpoints']) {
      const { rowCount } = await fixture.db.query(`SELECT FROM ${table} WHERE task_id = $1`, [hold.taskId]);
      expect({ table, rowCount }).toEqual({ table, rowCount: 0 });
    }
  });
});
