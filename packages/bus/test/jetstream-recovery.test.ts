import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { eventsFixture } from './events-fixture.js';
import { gate } from './service.js';

const fixture = eventsFixture();

describe('a lost store', () => {
  const resets: { stream: string; durable: string }[] = [];
  const onReset = (reset: { stream: string; durable: string }): void => void resets.push(reset);
  beforeEach(() => {
    resets.length = 0;
  });

  it('is made again when the server comes back empty, and the service told', async () => {
    const { strategy, bus: own } = await fixture.consume({ onReset });
    await fixture.publish(randomUUID());
    await until(() => fixture.deliveries.length === 1);
    await fixture.untilSettled();
    await fixture.nats.restart('emptied');
    await until(() => fixture.bus.isConnected() && own.isConnected() && strategy.isConsuming());
    await until(() => resets.length === 1);
    const after = randomUUID();
    await fixture.publish(after);
    await until(() => fixture.deliveries.length === 2);
    await fixture.untilSettled();
    expect(fixture.deliveries[1]?.taskIds).toEqual([after]);
    expect(resets).toEqual([{ stream: 'TASKS', durable: 'tester' }]);
  });

  it('is made again when the stream is deleted under a running service', async () => {
    const { strategy } = await fixture.consume({ onReset });
    await fixture.publish(randomUUID());
    await until(() => fixture.deliveries.length === 1);
    await fixture.manager.streams.delete('TASKS');
    await until(() => resets.length === 1 && strategy.isConsuming());
    await fixture.publish(randomUUID());
    await until(() => fixture.deliveries.length === 2);
    await fixture.untilSettled();
    expect(resets).toHaveLength(1);
  });

  it('is made again when only the consumer is deleted; what the stream holds comes again', async () => {
    const { strategy } = await fixture.consume({ onReset });
    const taskId = randomUUID();
    await fixture.publish(taskId);
    await until(() => fixture.deliveries.length === 1);
    await fixture.untilSettled();
    await fixture.manager.consumers.delete('TASKS', 'tester');
    await until(() => resets.length === 1 && strategy.isConsuming());
    await until(() => fixture.deliveries.length === 2);
    expect(fixture.deliveries.map(({ taskIds }) => taskIds)).toEqual([[taskId], [taskId]]);
  });

  it('is not acknowledged by a message of the old one that is handled late', async () => {
    const gates: (() => void)[] = [];
    fixture.handle = () => new Promise((resolve) => gates.push(resolve));
    const { strategy } = await fixture.consume({ onReset });
    await fixture.publish('00000000-0000-4000-8000-000000000001');
    await until(() => gates.length === 1);
    await fixture.manager.streams.delete('TASKS');
    await until(() => resets.length === 1 && strategy.isConsuming());
    await fixture.publish('00000000-0000-4000-8000-000000000002');
    await until(() => gates.length === 2);
    gates[0]?.();
    await fixture.bus.connection.flush();
    expect((await fixture.consumerInfo()).num_ack_pending).toBe(1);
    gates[1]?.();
    await fixture.untilSettled();
  });

  it('survives a failing onReset', async () => {
    const { strategy, lines } = await fixture.consume({
      onReset: async () => {
        throw new Error('no database');
      },
    });
    await until(() => strategy.isConsuming());
    await fixture.manager.consumers.delete('TASKS', 'tester');
    await until(() => lines.some(({ msg }) => msg.includes('healing after a stream reset failed')));
    await fixture.publish(randomUUID());
    await until(() => fixture.deliveries.length === 1);
    expect(strategy.isConsuming()).toBe(true);
  });
});

describe('coming and going', () => {
  it('goes on where it was after a restart of the server', async () => {
    const resets: unknown[] = [];
    const { strategy, bus: own } = await fixture.consume({ onReset: (reset) => void resets.push(reset) });
    await until(() => strategy.isConsuming());
    await fixture.nats.stop();
    await until(() => !own.isConnected() && !fixture.bus.isConnected());
    expect(strategy.isConsuming()).toBe(false);
    await fixture.nats.restart('kept');
    await until(() => fixture.bus.isConnected() && strategy.isConsuming());
    await fixture.publish(randomUUID());
    await until(() => fixture.deliveries.length === 1);
    await fixture.untilSettled();
    expect(resets).toEqual([]);
  });

  it('begins once NATS is there when that was down at the start', async () => {
    await fixture.nats.stop();
    const { strategy } = await fixture.consume();
    expect(strategy.isConsuming()).toBe(false);
    await fixture.nats.restart('emptied');
    await until(() => fixture.bus.isConnected());
    await fixture.publish(randomUUID());
    await until(() => strategy.isConsuming() && fixture.deliveries.length === 1);
    await fixture.untilSettled();
  });

  it('closes after the messages in work are settled and gives back the rest', async () => {
    const gates: (() => void)[] = [];
    fixture.handle = () => new Promise((resolve) => gates.push(resolve));
    const { close, strategy } = await fixture.consume();
    await Promise.all(Array.from({ length: 12 }, () => fixture.publish(randomUUID())));
    await until(() => gates.length === 4);
    let closed = false;
    const closes = close().then(() => {
      closed = true;
    });
    await fixture.bus.connection.flush();
    expect([closed, strategy.isConsuming()]).toEqual([false, false]);
    gates.splice(0).forEach((open) => open());
    await closes;
    expect(fixture.deliveries).toHaveLength(4);
    // Not after ack_wait: what was fetched but not begun can be had by another replica at once.
    fixture.handle = async () => {};
    await fixture.consume();
    await until(() => fixture.deliveries.length === 12, { timeoutMs: 5_000 });
    await fixture.untilSettled();
  });

  it('does not wait for ever for a handler that hangs', async () => {
    const { passed, open } = gate();
    fixture.handle = () => passed;
    const { close, lines } = await fixture.consume({ drainMs: 30 });
    await fixture.publish(randomUUID());
    await until(() => fixture.deliveries.length === 1);
    await close();
    expect(lines.filter(({ msg }) => msg.includes('deadline'))).toMatchObject([{ inFlight: 1 }]);
    open();
  });
});
