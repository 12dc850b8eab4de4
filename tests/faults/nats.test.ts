import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { DURABLES } from '@baton/contracts';
import { until } from '@baton/testkit';
import { startNatsWire, type NatsWire } from '../system/nats-wire.js';
import { readTaskStream } from '../system/streams.js';
import { withSystem, type System } from '../system/system.js';
import { withWork, type Work } from '../system/work.js';

jest.setTimeout(240_000);

const WORK = { perSecond: 60, workMs: [50, 250], pairs: 4 } as const;

/** A system in which an event that unblocks a task was stored, acknowledged and never heard. */
async function withUnheardEvent(
  test: (system: System, work: Work) => Promise<void>,
  before: (system: System, work: Work) => Promise<void> = async () => undefined,
): Promise<void> {
  let wire: NatsWire | undefined;
  const via = { nats: async (url: string) => (wire = await startNatsWire(url)) };
  await withSystem({ via }, async (system) => {
    await withWork(system, WORK, async (work) => {
      const [first = '', second = ''] = work.paired;
      const lost = wire?.loseDelivery({
        consumer: DURABLES.reactors,
        subject: 'task.completed',
        text: first,
      });
      await before(system, work);
      await lost;
      await until(
        async () =>
          (await system.query('SELECT FROM outbox WHERE messages::text LIKE $1', [`%${first}%`])).length ===
          0,
      );
      expect((await system.http({ method: 'GET', path: `/tasks/${second}` })).body.status).toBe('blocked');
      await work.untilInProgress();
      await test(system, work);
    });
  });
}

describe("JetStream's store", () => {
  it('deleted while the server was stopped: what is under way ends all the same', () =>
    withUnheardEvent(async (system, work) => {
      const { lastSequence } = await readTaskStream(system);
      await system.nats.kill();
      await system.nats.restart('emptied');
      expect((await work.untilStreamIsBack()).lastSequence).toBeLessThan(lastSequence);
    }));

  it('replaced by an older copy: what is under way ends all the same', () =>
    withUnheardEvent(
      async (system, work) => {
        const { lastSequence } = await readTaskStream(system);
        await system.nats.kill();
        await system.nats.restart('saved');
        const after = await work.untilStreamIsBack();
        expect(after.lastSequence).toBeGreaterThan(0);
        expect(after.lastSequence).toBeLessThan(lastSequence);
      },
      async ({ nats }, work) => {
        await work.untilCompleted(20);
        await nats.stop();
        await nats.saveStore();
        await nats.restart('kept');
      },
    ));
});

describe('NATS down for 20 s', () => {
  it('delays what agents do and nothing else: tasks are accepted meanwhile, and no agent is given up', () =>
    withSystem({}, async (system) => {
      const { nats } = system;
      const { acknowledged } = await withWork(system, { perSecond: 20, workMs: [50, 250] }, async (work) => {
        await work.untilCompleted(20);
        await work.untilInProgress();
        await nats.kill();
        const before = await work.count('queued');
        await delay(20_000);
        expect((await work.count('queued')) - before).toBeGreaterThan(200);
        await nats.restart('kept');
      });
      // Each was answered 201 at once.
      expect(acknowledged.repeated).toBe(0);
    }));
});
