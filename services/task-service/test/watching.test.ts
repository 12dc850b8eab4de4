import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asAdmin, until } from '@baton/testkit';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

type Sent = { readonly id?: string; readonly event: string; readonly data: Json };

/** A client of server-sent events, by hand; `status` alone when there is nothing to follow. */
async function follow(
  taskId: string,
  { replica = 0, headers = {} }: { replica?: number; headers?: object } = {},
) {
  const client = new AbortController();
  const url = `${fixture.replicas[replica]?.httpUrl}/v1/tasks/${taskId}/events`;
  const response = await fetch(url, {
    headers: { ...asAdmin, accept: 'text/event-stream', ...headers },
    signal: client.signal,
  });
  const events: Sent[] = [];
  let text = '';
  let hasEnded = false;
  const read = async () => {
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
        if (fields.event !== undefined) events.push({ ...fields, data: JSON.parse(fields.data) } as Sent);
      }
    }
    hasEnded = true;
  };
  const reading = read().catch(() => undefined);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    events,
    versions: () => events.flatMap(({ id }) => (id === undefined ? [] : [Number(id)])),
    ended: () => hasEnded,
    leave: async () => {
      client.abort();
      await reading;
    },
  };
}

async function held(agentId: string) {
  const { epoch } = await hello(fixture, agentId);
  const taskId = await create(fixture);
  const { attempt } = await assign(fixture, taskId, agentId);
  const hold = { taskId, attempt, epoch };
  return {
    taskId,
    say: (word: string, more: object = {}) => verb(fixture, agentId, word, { ...hold, ...more }),
  };
}

describe('the events of a task', () => {
  it('come as they happen on any replica, with progress, and end with the task', async () => {
    const { taskId, say } = await held('streamed');
    const streams = [await follow(taskId), await follow(taskId, { replica: 1 })];
    await until(() => streams.every(({ versions }) => versions().length === 2));
    expect(streams[0]).toMatchObject({ status: 200, type: 'text/event-stream' });
    await say('start');
    await say('progress', { percent: 40, message: 'half' });
    await until(() => streams.every(({ events }) => events.some(({ event }) => event === 'progress')));
    await say('complete', { result: 1 });
    await until(() => streams.every(({ ended }) => ended()));
    for (const { events } of streams) {
      expect(events.map(({ id, event }) => [id, event])).toEqual([
        ['1', 'task.created'],
        ['2', 'task.assigned'],
        ['3', 'task.started'],
        [undefined, 'progress'],
        ['4', 'task.completed'],
      ]);
      expect(events[3]?.data).toMatchObject({ attempt: 1, percent: 40, message: 'half' });
      expect(events[4]?.data).toMatchObject({ version: 4, actor: 'agent:streamed' });
    }
  });

  it('go on behind the last one a client had, and after the end tell it to stop', async () => {
    const { taskId, say } = await held('resumed');
    const first = await follow(taskId);
    await until(() => first.versions().length === 2);
    await first.leave();
    await say('start');
    const second = await follow(taskId, { replica: 1, headers: { 'last-event-id': '2' } });
    await until(() => second.versions().length === 1);
    await say('complete', { result: 1 });
    await until(() => second.ended());
    expect(second.versions()).toEqual([3, 4]);
    expect((await follow(taskId, { headers: { 'last-event-id': '4' } })).status).toBe(204);
    const json = await fixture.http('GET', `/v1/tasks/${taskId}/events?after=2`);
    expect(json.body.data.map(({ version }: Json) => version)).toEqual([3, 4]);
    expect((await follow(taskId, { headers: { 'last-event-id': 'odd' } })).status).toBe(400);
    expect((await follow(taskId.replace(/^./, '1'))).status).toBe(404);
  });

  it('lose nothing over a restart of every replica: the client goes on where it was', async () => {
    const { taskId, say } = await held('restarted');
    const before = await follow(taskId);
    await until(() => before.versions().length === 2);
    await fixture.restart(async () => {
      await until(() => before.ended());
    });
    const after = await follow(taskId, { headers: { 'last-event-id': '2' } });
    await say('start');
    await say('complete', { result: 1 });
    await until(() => after.ended());
    expect([...before.versions(), ...after.versions()]).toEqual([1, 2, 3, 4]);
  });

  it('reach many who look on, and leave no subscription behind', async () => {
    const { taskId, say } = await held('crowded');
    const crowd = await Promise.all(
      Array.from({ length: 50 }, (_, index) => follow(taskId, { replica: index % 2 })),
    );
    for (const { leave } of crowd.slice(25)) await leave();
    await say('start');
    await say('fail', { error: { message: 'no', retryable: false } });
    await until(() => crowd.slice(0, 25).every(({ ended }) => ended()));
    for (const { versions } of crowd.slice(0, 25)) expect(versions()).toEqual([1, 2, 3, 4]);
  });
});

describe('an answer that is held until the task ends', () => {
  it('comes with the result, of a read and of a create', async () => {
    const { taskId, say } = await held('waited');
    await say('start');
    const reading = fixture.http('GET', `/v1/tasks/${taskId}`, undefined, {
      prefer: 'respond-async, wait=20',
    });
    const calling = fixture.ask('agent.waited.call.wait', { taskId, timeoutMs: 4_000 });
    await say('complete', { result: { n: 1 } });
    const { body, headers } = await reading;
    expect(body).toMatchObject({ status: 'completed', result: { n: 1 }, version: 4 });
    expect([headers.get('preference-applied'), headers.get('etag')]).toEqual(['wait=20', '"v4"']);
    expect(await calling).toMatchObject({ ok: true, ended: true, task: { status: 'completed' } });
    const deadline = new Date(Date.now() + 500).toISOString();
    const created = await fixture.http('POST', '/v1/tasks', { title: 'x', deadline }, { prefer: 'wait=20' });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ status: 'failed', statusReason: 'expired', input: {} });
  });

  it('comes after as long as was asked for, with the task as it is', async () => {
    const taskId = await create(fixture);
    const startedAt = performance.now();
    const { body, headers } = await fixture.http('GET', `/v1/tasks/${taskId}`, undefined, {
      prefer: 'wait=1',
    });
    expect(performance.now() - startedAt).toBeGreaterThan(990);
    expect([body.status, headers.get('preference-applied')]).toEqual(['queued', 'wait=1']);
    const plain = await fixture.http('GET', `/v1/tasks/${taskId}`, undefined, { prefer: 'wait=odd' });
    expect(plain.headers.get('preference-applied')).toBeNull();
  });

  it('comes at once when the service stops', async () => {
    const taskId = await create(fixture);
    const waiting = fixture.http('GET', `/v1/tasks/${taskId}`, undefined, { prefer: 'wait=50' });
    const startedAt = performance.now();
    await fixture.restart(async () => {
      expect((await waiting).body.status).toBe('queued');
    });
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});

describe('what an agent may look at', () => {
  it('is the history and the decision of tasks it is related to, and of no others', async () => {
    const { taskId } = await held('looker');
    const history = await fixture.ask('agent.looker.call.history', { taskId, after: 1 });
    expect(history.data.map(({ type }: Json) => type)).toEqual(['task.assigned']);
    const decision = await fixture.ask('agent.looker.call.decision', { taskId });
    expect(decision).toMatchObject({ ok: true, taskId, waiting: null, decision: { policy: 'weighted' } });
    // Who had it and has it no more may still look.
    await fixture.ask('agent.looker.task.return', {
      taskId,
      attempt: 1,
      epoch: 1,
      commandId: taskId,
      reason: 'declined',
    });
    await hello(fixture, 'next');
    await assign(fixture, taskId, 'next');
    expect((await fixture.ask('agent.looker.call.get', { taskId })).task.lastAgentId).toBe('next');
    for (const word of ['wait', 'history', 'decision']) {
      const refused = await fixture.ask(`agent.stranger.call.${word}`, { taskId });
      expect([word, refused.error?.code]).toEqual([word, 'TASK_NOT_FOUND']);
    }
  });
});
