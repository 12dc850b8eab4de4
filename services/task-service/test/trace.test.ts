import { taskTrace, type TaskTrace } from '@baton/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture } from './fixture.js';
import { archive } from './history.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

async function traceOf(taskId: string): Promise<TaskTrace> {
  const { status, body } = await fixture.http('GET', `/v1/tasks/${taskId}/trace`);
  expect(status).toBe(200);
  return taskTrace.parse(body);
}

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('the life of a task as spans', () => {
  it('tells of a retry, a delegation and a child, the same from the archive', async () => {
    const headers = { traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01` };
    const created = await fixture.http(
      'POST',
      '/v1/tasks',
      {
        title: 'A life',
        maxRetries: 1,
        retryPolicy: { kind: 'fixed', baseSeconds: 0, jitter: false },
      },
      headers,
    );
    const taskId: string = created.body.id;
    const { epoch: ada } = await hello(fixture, 'ada');
    const { epoch: bob } = await hello(fixture, 'bob');
    await fixture.http('PUT', '/v1/agents/ada/connections/bob', {});

    const first = await assign(fixture, taskId, 'ada');
    await verb(fixture, 'ada', 'start', { taskId, attempt: first.attempt, epoch: ada });
    expect((await traceOf(taskId)).spans.at(-1)).toMatchObject({ kind: 'work', agent: 'ada', endedAt: null });
    const error = { class: 'transient', code: 'BUSY', message: 'later' };
    await verb(fixture, 'ada', 'fail', { taskId, attempt: first.attempt, epoch: ada, error });

    const second = await assign(fixture, taskId, 'ada');
    const fence = { taskId, attempt: second.attempt, epoch: ada };
    await verb(fixture, 'ada', 'start', fence);
    const spawned = await fixture.ask('agent.ada.call.spawn', { parent: fence, task: { title: 'A part' } });
    const [child] = spawned.tasks;
    expect(await verb(fixture, 'ada', 'delegate', { ...fence, to: 'bob' })).toMatchObject({ ok: true });
    const { attempt } = (await fixture.http('GET', `/v1/tasks/${taskId}`)).body;
    await verb(fixture, 'bob', 'start', { taskId, attempt, epoch: bob });
    await fixture.http('POST', `/v1/tasks/${child.id}/cancel`, {});
    await verb(fixture, 'bob', 'complete', { taskId, attempt, epoch: bob, result: null });

    const trace = await traceOf(taskId);
    expect(trace).toMatchObject({ taskId, traceId: TRACE_ID, status: 'completed', truncated: false });
    const children = trace.spans.filter(({ kind }) => kind === 'child');
    expect(children).toEqual([
      expect.objectContaining({ taskId: child.id, name: 'A part', outcome: 'cancelled' }),
    ]);
    const own = trace.spans.filter((span) => !children.includes(span));
    expect(own.map(({ kind, agent, outcome }) => [kind, agent, outcome])).toEqual([
      ['task', null, 'completed'],
      ['wait', null, 'assigned'],
      ['attempt', 'ada', 'queued'],
      ['work', 'ada', 'queued'],
      ['wait', null, 'assigned'],
      ['attempt', 'ada', 'delegated'],
      ['work', 'ada', 'delegated'],
      ['delegation', 'bob', 'in_progress'],
      ['attempt', 'bob', 'completed'],
      ['work', 'bob', 'completed'],
    ]);
    const ids = new Set(trace.spans.map(({ id }) => id));
    expect(ids.size).toBe(trace.spans.length);
    const named = trace.spans.flatMap(({ parentId, links }) => [
      parentId ?? 'task',
      ...links.map(({ spanId }) => spanId),
    ]);
    expect(named.filter((id) => !ids.has(id))).toEqual([]);

    expect(await archive(fixture.databaseUrl)).toBeGreaterThan(0);
    expect(await traceOf(taskId)).toEqual(trace);
  });

  it('is refused where there is no such task', async () => {
    const { status, body } = await fixture.http(
      'GET',
      '/v1/tasks/01890a5d-ac96-774b-bcce-b302099a8057/trace',
    );
    expect([status, body.code]).toEqual([404, 'TASK_NOT_FOUND']);
    expect((await fixture.http('GET', '/v1/tasks/seven/trace')).status).toBe(400);
  });

  it('shows what is running as going on', async () => {
    const { spans } = await traceOf(await create(fixture));
    expect(spans.map(({ kind, endedAt }) => [kind, endedAt])).toEqual([
      ['task', null],
      ['wait', null],
    ]);
  });
});
