import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '@baton/testkit';
import { startAgentHost, type AgentHost } from '../system/agents.js';
import type { HttpAnswer } from '../system/http.js';
import { startNatsWire, type NatsWire } from '../system/nats-wire.js';
import { startPostgresWire, type PostgresWire } from '../system/postgres-wire.js';
import { readTaskStream, type TaskStream } from '../system/streams.js';
import { startSystem, type System } from '../system/system.js';
import { expectTruth } from '../system/truth.js';

/** What becomes of a task when the service dies, or loses its connection, at an exact point of its life. */
jest.setTimeout(240_000);

type Struck = System & { readonly database: PostgresWire; readonly bus: NatsWire };

let system: Struck;
let host: AgentHost;
/** The type of the test's task: its row, its event and every message about it carry it. */
let type: string;
/** What the stream held before the test. */
let before: TaskStream;

beforeAll(async () => {
  let database: PostgresWire | undefined;
  let bus: NatsWire | undefined;
  const via = {
    postgres: async (url: string) => (database = await startPostgresWire(url)),
    nats: async (url: string) => (bus = await startNatsWire(url)),
  };
  const started = await startSystem({ via });
  if (database === undefined || bus === undefined) throw new Error('the wires were not opened');
  system = { ...started, database, bus };
  host = await startAgentHost({
    nats: system.nats,
    agents: [{ id: 'worker', capabilities: ['work'] }],
  });
  await create('warm-up');
  await until(async () => (await host.runs()).length === 1);
});
afterAll(async () => {
  await host?.close();
  await system?.close();
});

/** Strikes the test's task, which must then end exactly once. */
async function strike(test: () => Promise<string>): Promise<void> {
  type = `struck-${randomUUID()}`;
  // Nothing of an earlier test may still be on its way.
  await expectTruth(system, { acknowledged: [], agents: [host] });
  before = await readTaskStream(system);
  try {
    const id = await test();
    // An assignment that was asked of a service just killed is asked again after 10 s.
    await until(
      async () => (await system.http({ method: 'GET', path: `/tasks/${id}` })).body.status === 'completed',
      { timeoutMs: 30_000 },
    );
    expect(await struckTasks()).toEqual([{ id, attempt: 1 }]);
    expect((await host.runs()).filter(({ taskId }) => taskId === id)).toHaveLength(1);
    await expectTruth(system, { acknowledged: [id], agents: [host] });
  } catch (error) {
    if (error instanceof Error) error.message += `\n\nThe logs end with:\n${await system.lastLines()}`;
    throw error;
  }
}

const create = (ofType = type): Promise<HttpAnswer> =>
  system.http({
    method: 'POST',
    path: '/tasks',
    body: { title: 'A task', type: ofType, requiredCapabilities: [{ name: 'work' }] },
    headers: { 'idempotency-key': ofType },
  });
const struckTasks = () => system.query('SELECT id, attempt FROM tasks WHERE type = $1', [type]);
const unpublished = async (): Promise<number> =>
  (await system.query(`SELECT 1 FROM outbox WHERE messages::text LIKE $1`, [`%${type}%`])).length;

/** kill -9; the request that was under way must not have been answered. */
async function killUnanswered(request: Promise<HttpAnswer>): Promise<void> {
  await system.tasks[0]?.kill();
  await expect(request).rejects.toThrow(/fetch failed/);
}

async function startAgain(): Promise<void> {
  const [service] = system.tasks;
  await service?.start();
  await service?.ready();
}

describe('a connection lost during COMMIT', () => {
  it('before the server got it: the task is written again, once, and answered', () =>
    strike(async () => {
      const held = system.database.holdCommit({ text: type, at: 'request' });
      const request = create();
      const commit = await held;
      expect(await struckTasks()).toEqual([]);
      commit.cut();
      const { status, body } = await request;
      expect(status).toBe(201);
      return body.id;
    }));

  it('after the server did it: the task is found written, and answered', () =>
    strike(async () => {
      const held = system.database.holdCommit({ text: type, at: 'answer' });
      const request = create();
      const commit = await held;
      const [written] = await struckTasks();
      commit.cut();
      const { status, body } = await request;
      expect(status).toBe(201);
      expect(body.id).toBe(written?.['id']);
      return body.id;
    }));
});

describe('task-service killed', () => {
  it('before its COMMIT: there is no task until the client repeats its request', () =>
    strike(async () => {
      const held = system.database.holdCommit({ text: type, at: 'request' });
      const request = create();
      await held;
      await killUnanswered(request);
      expect(await struckTasks()).toEqual([]);
      await startAgain();
      const { status, headers, body } = await create();
      expect([status, headers.get('idempotency-replayed')]).toEqual([201, null]);
      return body.id;
    }));

  it('between COMMIT and reply: the repeated request is answered with the task that is there', () =>
    strike(async () => {
      const held = system.database.holdCommit({ text: type, at: 'answer' });
      const request = create();
      await held;
      await killUnanswered(request);
      const [written] = await struckTasks();
      expect(await unpublished()).toBe(1);
      await startAgain();
      const { status, headers, body } = await create();
      expect([status, headers.get('idempotency-replayed')]).toEqual([201, 'true']);
      expect(body.id).toBe(written?.['id']);
      await until(async () => (await unpublished()) === 0);
      return body.id;
    }));

  it('between COMMIT and publish: the event comes from the outbox', () =>
    strike(async () => {
      const held = system.bus.holdPublish({ subject: 'task.created', text: type, at: 'request' });
      const request = create();
      await held;
      await system.tasks[0]?.kill();
      await request.catch(() => undefined);
      expect(await published()).toBe(0);
      expect(await unpublished()).toBe(1);
      const [written] = await struckTasks();
      await startAgain();
      await until(async () => (await unpublished()) === 0);
      expect(await published()).toBe(1);
      return written?.['id'];
    }));

  it('after its publish: the event is published again, and the stream knows it', () =>
    strike(async () => {
      const held = system.bus.holdPublish({ subject: 'task.created', text: type, at: 'acknowledgement' });
      const request = create();
      await held;
      await system.tasks[0]?.kill();
      await request.catch(() => undefined);
      expect(await published()).toBe(1);
      expect(await unpublished()).toBe(1);
      const [written] = await struckTasks();
      await startAgain();
      await until(async () => (await unpublished()) === 0);
      expect(await published()).toBe(1);
      return written?.['id'];
    }));

  it.each(['task.assigned', 'task.started', 'task.completed'])(
    'between the COMMIT of %s and all that follows: nobody does it twice',
    (event) =>
      strike(async () => {
        // Nothing but the one message in the outbox carries the name of an event.
        const held = system.database.holdCommit({ text: event, at: 'answer' });
        const { body } = await create();
        await held;
        await system.tasks[0]?.kill();
        expect(await published(event)).toBe(0);
        await startAgain();
        await until(async () => (await published(event)) === 1);
        return body.id;
      }),
  );
});

/** How often the stream got the event in this test, which has one task. */
async function published(event = 'task.created'): Promise<number> {
  const { subjects } = await readTaskStream(system);
  return (subjects[event] ?? 0) - (before.subjects[event] ?? 0);
}
