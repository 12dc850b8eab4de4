import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { until } from '@baton/testkit';
import { startAgentHost, type AgentHost } from '../system/agents.js';
import type { HttpAnswer } from '../system/http.js';
import { startNatsWire, type NatsWire } from '../system/nats-wire.js';
import { startPostgresWire, type PostgresWire } from '../system/postgres-wire.js';
import { readTaskStream } from '../system/streams.js';
import { withSystem, type System } from '../system/system.js';
import { expectTruth } from '../system/truth.js';

/** What becomes of a task when the service dies, or loses its connection, at an exact point of its life. */
jest.setTimeout(60_000);
/** The task's type: its row, its event and every message about it carry it. */
const TYPE = 'struck-at-an-exact-point';
const KEY = { 'idempotency-key': randomUUID() };

type Struck = System & { readonly database: PostgresWire; readonly bus: NatsWire; readonly host: AgentHost };

let host: AgentHost | undefined;
afterEach(async () => {
  await host?.close();
  host = undefined;
});

/** A system behind wires with one agent; at the end the task must have ended exactly once. */
async function strike(test: (system: Struck) => Promise<string>): Promise<void> {
  let database: PostgresWire | undefined;
  let bus: NatsWire | undefined;
  const via = {
    postgres: async (url: string) => (database = await startPostgresWire(url)),
    nats: async (url: string) => (bus = await startNatsWire(url)),
  };
  await withSystem({ via }, async (system) => {
    if (database === undefined || bus === undefined) throw new Error('the wires were not opened');
    host = await startAgentHost({
      servers: system.nats.url,
      agents: [{ id: 'worker', capabilities: ['work'] }],
    });
    const id = await test({ ...system, database, bus, host });
    await until(
      async () => (await system.http({ method: 'GET', path: `/tasks/${id}` })).body.status === 'completed',
    );
    expect(await struckTasks(system)).toEqual([{ id, attempt: 1 }]);
    expect(await host.runs()).toHaveLength(1);
    await expectTruth(system, { acknowledged: [id], agents: [host] });
  });
}

const create = (system: System): Promise<HttpAnswer> =>
  system.http({
    method: 'POST',
    path: '/tasks',
    body: { title: 'A task', type: TYPE, requiredCapabilities: [{ name: 'work' }] },
    headers: KEY,
  });
const struckTasks = (system: System) => system.query('SELECT id, attempt FROM tasks WHERE type = $1', [TYPE]);
const unpublished = async (system: System): Promise<number> =>
  (await system.query(`SELECT 1 FROM outbox WHERE messages::text LIKE $1`, [`%${TYPE}%`])).length;

/** kill -9; the request that was under way must not have been answered. */
async function killUnanswered({ tasks: [service] }: System, request: Promise<HttpAnswer>): Promise<void> {
  await service?.kill();
  await expect(request).rejects.toThrow(/fetch failed/);
}

async function startAgain({ tasks: [service] }: System): Promise<void> {
  await service?.start();
  await service?.ready();
}

describe('a connection lost during COMMIT', () => {
  it('before the server got it: the task is written again, once, and answered', () =>
    strike(async (system) => {
      const held = system.database.holdCommit({ text: TYPE, at: 'request' });
      const request = create(system);
      const commit = await held;
      expect(await struckTasks(system)).toEqual([]);
      commit.cut();
      const { status, body } = await request;
      expect(status).toBe(201);
      return body.id;
    }));

  it('after the server did it: the task is found written, and answered', () =>
    strike(async (system) => {
      const held = system.database.holdCommit({ text: TYPE, at: 'answer' });
      const request = create(system);
      const commit = await held;
      const [written] = await struckTasks(system);
      commit.cut();
      const { status, body } = await request;
      expect(status).toBe(201);
      expect(body.id).toBe(written?.['id']);
      return body.id;
    }));
});

describe('task-service killed', () => {
  it('before its COMMIT: there is no task until the client repeats its request', () =>
    strike(async (system) => {
      const held = system.database.holdCommit({ text: TYPE, at: 'request' });
      const request = create(system);
      await held;
      await killUnanswered(system, request);
      expect(await struckTasks(system)).toEqual([]);
      await startAgain(system);
      const { status, headers, body } = await create(system);
      expect([status, headers.get('idempotency-replayed')]).toEqual([201, null]);
      return body.id;
    }));

  it('between COMMIT and reply: the repeated request is answered with the task that is there', () =>
    strike(async (system) => {
      const held = system.database.holdCommit({ text: TYPE, at: 'answer' });
      const request = create(system);
      await held;
      await killUnanswered(system, request);
      const [written] = await struckTasks(system);
      expect(await unpublished(system)).toBe(1);
      await startAgain(system);
      const { status, headers, body } = await create(system);
      expect([status, headers.get('idempotency-replayed')]).toEqual([201, 'true']);
      expect(body.id).toBe(written?.['id']);
      await until(async () => (await unpublished(system)) === 0);
      return body.id;
    }));

  it('between COMMIT and publish: the event comes from the outbox', () =>
    strike(async (system) => {
      const held = system.bus.holdPublish({ subject: 'task.created', text: TYPE, at: 'request' });
      const request = create(system);
      await held;
      await system.tasks[0]?.kill();
      await request.catch(() => undefined);
      expect(await published(system)).toBe(0);
      expect(await unpublished(system)).toBe(1);
      const [written] = await struckTasks(system);
      await startAgain(system);
      await until(async () => (await unpublished(system)) === 0);
      expect(await published(system)).toBe(1);
      return written?.['id'];
    }));

  it('after its publish: the event is published again, and the stream knows it', () =>
    strike(async (system) => {
      const held = system.bus.holdPublish({ subject: 'task.created', text: TYPE, at: 'acknowledgement' });
      const request = create(system);
      await held;
      await system.tasks[0]?.kill();
      await request.catch(() => undefined);
      expect(await published(system)).toBe(1);
      expect(await unpublished(system)).toBe(1);
      const [written] = await struckTasks(system);
      await startAgain(system);
      await until(async () => (await unpublished(system)) === 0);
      expect(await published(system)).toBe(1);
      return written?.['id'];
    }));

  it.each(['task.assigned', 'task.started', 'task.completed'])(
    'between the COMMIT of %s and all that follows: nobody does it twice',
    (event) =>
      strike(async (system) => {
        // Nothing but the one message in the outbox carries the name of an event.
        const held = system.database.holdCommit({ text: event, at: 'answer' });
        const { body } = await create(system);
        await held;
        await system.tasks[0]?.kill();
        expect(await published(system, event)).toBe(0);
        await startAgain(system);
        await until(async () => (await published(system, event)) === 1);
        return body.id;
      }),
  );
});

/** How often the stream holds the event; there is one task. */
async function published(system: System, event = 'task.created'): Promise<number> {
  return (await readTaskStream(system)).subjects[event] ?? 0;
}
