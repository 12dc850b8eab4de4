import { afterEach, describe, expect, it } from '@jest/globals';
import { asAdmin, until } from '@baton/testkit';
import { hello } from './agent.js';
import { startFixture, type Fixture, type Replica } from './fixture.js';

let fixture: Fixture;
afterEach(() => fixture.close());

const isReady = async ({ operationsUrl }: Replica): Promise<boolean> =>
  (await fetch(`${operationsUrl}/readyz`)).status === 200;

/** Creates tasks one after the other until `isOver`; gives the ids that were answered with. */
async function createUntil(
  { httpUrl }: Replica,
  isOver: () => boolean,
  acknowledged: string[],
): Promise<void> {
  while (!isOver()) {
    const response = await fetch(`${httpUrl}/v1/tasks`, {
      method: 'POST',
      headers: { ...asAdmin, 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Under load' }),
    });
    expect(response.status).toBe(201);
    acknowledged.push(((await response.json()) as { id: string }).id);
  }
}

describe('SIGTERM', () => {
  it('under load cuts off no request of a client that heeds /readyz, and loses nothing that was acknowledged', async () => {
    fixture = await startFixture({ environment: { BATON_SHUTDOWN_DELAY_MS: '500' } });
    const [replica] = fixture.replicas as [Replica];
    const acknowledged: string[] = [];
    let isBeingStopped = false;
    const clients = Array.from({ length: 8 }, () => createUntil(replica, () => isBeingStopped, acknowledged));
    await until(() => acknowledged.length > 50);
    replica.process.signal('SIGTERM');
    await until(async () => !(await isReady(replica)));
    const soFar = acknowledged.length;
    expect((await fetch(`${replica.operationsUrl}/livez`)).status).toBe(200);
    await until(() => acknowledged.length > soFar, { timeoutMs: 400 });
    isBeingStopped = true;
    await Promise.all(clients);
    expect(await replica.process.exited).toMatchObject({ code: 0 });

    expect(await storedOf(acknowledged)).toBe(acknowledged.length);
  });

  it('answers every request over NATS that reached it; later ones hear at once that nobody is there', async () => {
    fixture = await startFixture();
    const [replica] = fixture.replicas as [Replica];
    await hello(fixture, 'busy');
    const acknowledged: string[] = [];
    const call = async (caller: number, index = 0): Promise<never> => {
      const request = {
        key: `${caller}-${index}`,
        commandId: `${caller}-${index}`,
        task: { title: 'Under load' },
      };
      const { tasks } = await fixture.ask('agent.busy.call.create', request);
      acknowledged.push(tasks[0].id);
      return call(caller, index + 1);
    };
    const ends = Promise.allSettled(Array.from({ length: 8 }, (_, caller) => call(caller)));
    await until(() => acknowledged.length > 50);
    replica.process.signal('SIGTERM');
    for (const end of await ends) {
      expect(end).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringContaining('no responders') },
      });
    }
    expect(await replica.process.exited).toMatchObject({ code: 0 });
    expect(await storedOf(acknowledged)).toBe(acknowledged.length);
  });
});

async function storedOf(ids: readonly string[]): Promise<number> {
  const { rows } = await fixture.db.query('SELECT count(*)::int AS n FROM tasks WHERE id = ANY($1::uuid[])', [
    ids,
  ]);
  return rows[0].n;
}
