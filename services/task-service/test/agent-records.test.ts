import { randomUUID } from 'node:crypto';
import { until } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

const get = async (path: string): Promise<Json> => (await fixture.http('GET', `/v1${path}`)).body;
const patch = (id: string, body: object) => fixture.http('PATCH', `/v1/agents/${id}`, body);
const remove = (id: string) => fixture.http('DELETE', `/v1/agents/${id}`);

async function bound(agentId: string): Promise<string> {
  const taskId = await create(fixture);
  expect((await assign(fixture, taskId, agentId)).ok).toBe(true);
  return taskId;
}

describe('what is kept of an agent', () => {
  it('is not changed to what cannot be', async () => {
    await fixture.http('POST', '/v1/agents', { id: 'kept', heartbeatMs: 1_000, expireMs: 4_000 });
    const before = await get('/agents/kept');
    const refused: readonly object[] = [
      { expireMs: 1_500 },
      { heartbeatMs: 3_000 },
      { status: 'online' },
      { id: 'other' },
      { maxConcurrent: 0 },
      { name: '' },
    ];
    for (const body of refused) {
      expect({ body, code: (await patch('kept', body)).body.code }).toEqual({
        body,
        code: 'VALIDATION_FAILED',
      });
    }
    expect((await patch('nobody', {})).body.code).toBe('AGENT_NOT_FOUND');
    expect(await get('/agents/kept')).toEqual(before);
  });

  it('changes field by field, until the agent announces its own', async () => {
    await fixture.http('POST', '/v1/agents', { id: 'writer', description: 'writes' });
    const capabilities = [{ name: 'write', level: 0.5 }];
    const { status, body } = await patch('writer', { name: 'W', capabilities, maxConcurrent: 9 });
    expect([status, body.name, body.description]).toEqual([200, 'W', 'writes']);
    expect(body).toMatchObject({ capabilities, maxConcurrent: 9, prefetch: 0 });
    await hello(fixture, 'writer', { maxConcurrent: 2 });
    expect(await get('/agents/writer')).toMatchObject({ name: 'W', maxConcurrent: 2, capabilities: [] });
    const { data } = await get('/audit?subject=writer&action=agent.update');
    expect(data).toMatchObject([
      { actor: 'user:local', code: null, detail: { fields: ['name', 'capabilities', 'maxConcurrent'] } },
    ]);
  });
});

describe('an agent that is removed', () => {
  it('leaves its tasks to others, and its id to nobody', async () => {
    const { epoch } = await hello(fixture, 'going');
    await hello(fixture, 'staying');
    await fixture.http('PUT', '/v1/agents/staying/connections/going', {});
    const [begun, unbegun] = [await bound('going'), await bound('going')];
    const hold = { taskId: begun, attempt: 1, epoch };
    await verb(fixture, 'going', 'start', hold);
    expect((await remove('going')).status).toBe(204);
    for (const taskId of [begun, unbegun]) {
      await until(async () => (await statusOf(fixture, taskId)) === 'queued');
      expect(await get(`/tasks/${taskId}`)).toMatchObject({ lostCount: 0, retryCount: 0 });
    }
    expect((await verb(fixture, 'going', 'complete', hold)).ok).toBe(false);
    expect((await assign(fixture, begun, 'going')).error.code).toBe('AGENT_NOT_FOUND');
    expect((await assign(fixture, begun, 'staying')).ok).toBe(true);
    expect((await get('/agents/going')).code).toBe('AGENT_NOT_FOUND');
    expect((await remove('going')).body.code).toBe('AGENT_NOT_FOUND');
    expect((await get('/agents/staying/connections')).data).toEqual([]);
    // Neither by an operator nor by saying hello, where any agent may join.
    const again = await fixture.http('POST', '/v1/agents', { id: 'going' });
    expect([again.status, again.body.code]).toEqual([409, 'AGENT_EXISTS']);
    expect((await hello(fixture, 'going')).error.code).toBe('AGENT_NOT_FOUND');
    const { data } = await get('/audit?subject=going&action=agent.remove');
    expect(data).toMatchObject([{ actor: 'user:local', action: 'agent.remove' }]);
  });

  it('keeps none of the tasks that are given to it at that moment', async () => {
    for (let round = 0; round < 8; round += 1) {
      const agentId = `raced-${round}`;
      await hello(fixture, agentId, { maxConcurrent: 50 });
      const ids = await Promise.all(Array.from({ length: 6 }, () => create(fixture)));
      await Promise.all([...ids.map((id) => assign(fixture, id, agentId)), remove(agentId)]);
      for (const id of ids) await until(async () => (await statusOf(fixture, id)) === 'queued');
    }
  });
});

describe('lists of an agent', () => {
  it('show its tasks by every filter, and what it has not heard, page by page', async () => {
    const { epoch } = await hello(fixture, 'listed', { maxConcurrent: 10 });
    const [one, two] = [await bound('listed'), await bound('listed')];
    await verb(fixture, 'listed', 'start', { taskId: one, attempt: 1, epoch });
    const ids = async (query: string) =>
      (await get(`/agents/listed/tasks${query}`)).data.map(({ id }: Json) => id);
    expect(await ids('')).toEqual([two, one]);
    expect(await ids('?status=in_progress')).toEqual([one]);
    expect((await get('/agents/listed/tasks?agent=other')).code).toBe('VALIDATION_FAILED');
    expect((await get('/agents/nobody/tasks')).code).toBe('AGENT_NOT_FOUND');
    const made: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      const { tasks } = await fixture.ask('agent.listed.call.create', { task: { title: 'own' } });
      made.push(tasks[0].id);
      await fixture.http('POST', `/v1/tasks/${tasks[0].id}/cancel`, {});
    }
    const first = await get('/agents/listed/inbox?limit=2');
    const second = await get(`/agents/listed/inbox?cursor=${first.page.next}`);
    const items: readonly Json[] = [...first.data, ...second.data];
    expect(items.map(({ taskId, status }) => [taskId, status])).toEqual(made.map((id) => [id, 'cancelled']));
    expect([first.page.hasMore, second.page.hasMore]).toEqual([true, false]);
    expect((await get(`/agents/staying/inbox?cursor=${first.page.next}`)).code).toBe('VALIDATION_FAILED');
    expect((await get('/agents/nobody/inbox')).code).toBe('AGENT_NOT_FOUND');
  });
});

describe('the audit', () => {
  it('is filtered by who, what, whom and when, newest first, page by page', async () => {
    const from = new Date(Date.now() - 60_000).toISOString();
    await hello(fixture, 'watched');
    for (const word of ['drain', 'resume', 'drain']) await fixture.http('POST', `/v1/agents/watched/${word}`);
    const all = await get(`/audit?subject=watched&actor=user:local&from=${from}`);
    const words = all.data.map(({ action }: Json) => action);
    expect(words).toEqual(['agent.drain', 'agent.resume', 'agent.drain']);
    expect((await get('/audit?subject=watched&action=agent.resume')).data).toHaveLength(1);
    expect((await get(`/audit?subject=watched&to=${from}`)).data).toEqual([]);
    const first = await get('/audit?subject=watched&actor=user:local&limit=2');
    const rest = await get(`/audit?subject=watched&actor=user:local&cursor=${first.page.next}`);
    expect([...first.data, ...rest.data]).toEqual(all.data);
    expect((await get(`/audit?cursor=${first.page.next}`)).code).toBe('VALIDATION_FAILED');
    expect((await get('/audit?from=yesterday')).code).toBe('VALIDATION_FAILED');
    expect((await get('/audit?who=me')).code).toBe('VALIDATION_FAILED');
  });

  it('shows what an agent was refused', async () => {
    const { epoch } = await hello(fixture, 'refused');
    const taskId = await create(fixture);
    await verb(fixture, 'refused', 'complete', { taskId, attempt: 1, epoch, commandId: randomUUID() });
    const { data } = await get('/audit?actor=agent:refused&action=task.complete');
    expect(data).toMatchObject([{ subject: taskId, code: 'STALE_ATTEMPT' }]);
  });
});

describe('afterwards', () => {
  it('every task replays from its history', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(8);
  });
});
