import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DURABLES } from '@baton/contracts';
import { until } from '@baton/testkit';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

const snapshotOf = async (agentId: string): Promise<Json> =>
  (await fixture.ask('svc.agent.snapshot', { agentIds: [agentId] })).agents[0];

async function outcomesOf(agentId: string): Promise<Readonly<Record<string, Json>>> {
  const { outcomes } = await snapshotOf(agentId);
  return Object.fromEntries(outcomes.map((one: Json) => [`${one.type}/${one.capability}`, one]));
}

const jetStream = async (path: string): Promise<Json> =>
  (await fixture.connection.request(`$JS.API.${path}`)).json();

/** Every event is published and learned from, also those told twice. */
async function learned(): Promise<void> {
  await until(async () => (await fixture.db.query('SELECT 1 FROM outbox')).rowCount === 0);
  await until(async () => {
    const { num_pending, num_ack_pending } = await jetStream(`CONSUMER.INFO.TASKS.${DURABLES.outcomes}`);
    return num_pending + num_ack_pending === 0;
  });
}

async function work(agentId: string, type: string, end: 'complete' | 'fail'): Promise<void> {
  const required = [{ name: 'write' }];
  const taskId = await create(fixture, { type, requiredCapabilities: required, maxRetries: 0 });
  const { epoch } = await snapshotOf(agentId);
  const { attempt } = await assign(fixture, taskId, agentId);
  await verb(fixture, agentId, 'start', { taskId, attempt, epoch });
  const said = end === 'complete' ? { result: {} } : { error: { message: 'could not' } };
  expect(await verb(fixture, agentId, end, { taskId, attempt, epoch, ...said })).toMatchObject({ ok: true });
}

describe('what becomes of the tasks of an agent', () => {
  it('is learned by type and capability, and served in its snapshot', async () => {
    await hello(fixture, 'learner', { capabilities: [{ name: 'write', level: 1 }] });
    expect((await snapshotOf('learner')).outcomes).toEqual([]);
    await work('learner', 'letter', 'complete');
    await learned();
    await work('learner', 'letter', 'fail');
    await work('learner', 'novel', 'complete');
    await learned();
    const outcomes = await outcomesOf('learner');
    expect(Object.keys(outcomes).toSorted()).toEqual(['letter/', 'letter/write', 'novel/', 'novel/write']);
    expect(outcomes['letter/write']).toMatchObject({
      succeeded: 0.99,
      failed: 1,
      durations: { count: 0.99 },
    });
    expect(outcomes['novel/']).toMatchObject({ succeeded: 1, failed: 0, durations: { count: 1 } });
  });

  it('counts once, however often its event is told, and to whom', async () => {
    await hello(fixture, 'counted', { capabilities: [{ name: 'write', level: 1 }] });
    const told: Uint8Array[] = [];
    const subscription = fixture.connection.subscribe('task.completed', {
      callback: (_, { data }) => void told.push(data),
    });
    await fixture.connection.flush();
    await work('counted', 'poem', 'complete');
    await until(() => told.length > 0);
    subscription.unsubscribe();
    for (let time = 0; time < 20; time += 1) {
      for (const data of told) fixture.connection.publish('task.completed', data);
    }
    await fixture.connection.flush();
    const { state } = await jetStream('STREAM.INFO.TASKS');
    expect(state.messages).toBeGreaterThan(20);
    await learned();
    const { succeeded } = (await outcomesOf('counted'))['poem/'];
    expect(succeeded).toBe(1);
  });

  it('says nothing against an agent that was lost or gave its task back', async () => {
    const { epoch } = await hello(fixture, 'blameless', { capabilities: [{ name: 'write', level: 1 }] });
    const taskId = await create(fixture, { requiredCapabilities: [{ name: 'write' }] });
    const { attempt } = await assign(fixture, taskId, 'blameless');
    await verb(fixture, 'blameless', 'return', { taskId, attempt, epoch, reason: 'declined' });
    const other = await create(fixture, { requiredCapabilities: [{ name: 'write' }] });
    const second = await assign(fixture, other, 'blameless');
    await verb(fixture, 'blameless', 'start', { taskId: other, attempt: second.attempt, epoch });
    await fixture.ask('svc.agent.expire', { items: [{ agentId: 'blameless', epoch, silentMs: 10_000 }] });
    await until(async () => (await fixture.http('GET', `/v1/tasks/${other}`)).body.status === 'queued');
    await learned();
    expect((await snapshotOf('blameless')).outcomes).toEqual([]);
  });
});
