import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { DomainError } from '@baton/contracts';
import { until } from '@baton/testkit';
import { Controller } from '@nestjs/common';
import { ConsumesEvents, JetStreamStrategy, type PoisonRecord } from '../src/index.js';
import { eventsFixture } from './events-fixture.js';
import { taskEvent } from './events.js';
import { keepingLogger, startService } from './service.js';

const fixture = eventsFixture();

describe('JetStreamStrategy', () => {
  it('makes the consumer and hands over one message at a time, acknowledged once handled', async () => {
    const { strategy } = await fixture.consume();
    await until(() => strategy.isConsuming());
    const [one, two, three] = [randomUUID(), randomUUID(), randomUUID()];
    await fixture.publish(one, two);
    await fixture.publish(three);
    await fixture.bus.publishEvents('task.failed', randomUUID(), JSON.stringify([taskEvent('task.failed')]));
    await until(() => fixture.deliveries.length === 2);
    await fixture.untilSettled();
    expect(fixture.deliveries).toMatchObject([
      { taskIds: [one, two], context: { subject: 'task.created', deliveryCount: 1 } },
      { taskIds: [three] },
    ]);
    expect((await fixture.consumerInfo()).config).toMatchObject({
      durable_name: 'tester',
      filter_subjects: ['task.created', 'task.queued'],
      ack_policy: 'explicit',
      ack_wait: 30_000_000_000,
      deliver_policy: 'all',
      max_deliver: -1,
      max_ack_pending: 1_000,
    });
  });

  it('tries again what failed, later each time, until it succeeds', async () => {
    fixture.handle = async ({ context }) => {
      if (context.deliveryCount === 1) throw new Error('broken');
      if (context.deliveryCount === 2) throw new DomainError('UNAVAILABLE', 'later', { retryAfterMs: 1 });
    };
    await fixture.consume();
    const started = performance.now();
    await fixture.publish(randomUUID());
    await until(() => fixture.deliveries.length === 3);
    await fixture.untilSettled();
    expect(performance.now() - started).toBeGreaterThanOrEqual(750);
    expect(fixture.deliveries.map(({ context }) => context.deliveryCount)).toEqual([1, 2, 3]);
  });

  it('ends and records what is refused for good, and goes on', async () => {
    const poison: PoisonRecord[] = [];
    const bad = randomUUID();
    fixture.handle = async ({ taskIds }) => {
      if (taskIds[0] === bad) throw new DomainError('TASK_NOT_FOUND', 'no such task');
    };
    await fixture.consume({ onPoison: (record) => void poison.push(record) });
    await fixture.publish(bad);
    await fixture.publish(randomUUID());
    await until(() => fixture.deliveries.length === 2 && poison.length === 1);
    await fixture.untilSettled();
    expect(poison).toMatchObject([
      {
        stream: 'TASKS',
        durable: 'tester',
        seq: 1,
        subject: 'task.created',
        reason: 'TASK_NOT_FOUND: no such task',
        deliveryCount: 1,
        payload: expect.stringContaining(bad),
      },
    ]);
  });

  it('ends and records what cannot be read, without calling the handler', async () => {
    const poison: PoisonRecord[] = [];
    await fixture.consume({ onPoison: (record) => void poison.push(record) });
    await fixture.bus.publishEvents('task.created', randomUUID(), `not JSON \0${'é'.repeat(4_000)}`);
    await fixture.bus.publishEvents('task.created', randomUUID(), '[]');
    await fixture.bus.publishEvents('task.created', randomUUID(), JSON.stringify([taskEvent('task.failed')]));
    await until(() => poison.length === 3);
    await fixture.untilSettled();
    expect(poison.map(({ reason }) => reason)).toEqual([
      'expected JSON',
      expect.stringContaining('not a batch of events'),
      'an event of type task.failed on subject task.created',
    ]);
    expect(poison[0]?.payload).toMatch(/^not JSON \u{FFFD}é{1018,1020}\u{FFFD}?$/u);
    expect(fixture.deliveries).toEqual([]);
  });

  it('keeps a message whose record could not be written', async () => {
    let tries = 0;
    const onPoison = (): void => {
      tries += 1;
      throw new Error('no database');
    };
    const { lines } = await fixture.consume({ onPoison });
    await fixture.bus.publishEvents('task.created', randomUUID(), '[]');
    await until(() => tries === 1 && lines.some(({ msg }) => msg.includes('could not record')));
    expect((await fixture.consumerInfo()).num_ack_pending).toBe(1);
  });

  it('has no more messages in work than allowed, and takes up the rest as slots free up', async () => {
    let inWork = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    fixture.handle = async () => {
      inWork += 1;
      most = Math.max(most, inWork);
      await new Promise<void>((resolve) => gates.push(resolve));
      inWork -= 1;
    };
    await fixture.consume();
    await Promise.all(Array.from({ length: 40 }, () => fixture.publish(randomUUID())));
    await until(() => {
      if (inWork === 4) gates.splice(0).forEach((open) => open());
      return fixture.deliveries.length === 40;
    });
    await until(() => gates.length === 4 || inWork < 4);
    gates.splice(0).forEach((open) => open());
    await fixture.untilSettled();
    expect(most).toBe(4);
  });

  it('shares a durable between replicas', async () => {
    await Promise.all([fixture.consume(), fixture.consume()]);
    await Promise.all(Array.from({ length: 30 }, () => fixture.publish(randomUUID())));
    await until(() => fixture.deliveries.length >= 30);
    await fixture.untilSettled();
    expect(new Set(fixture.deliveries.flatMap(({ taskIds }) => taskIds)).size).toBe(30);
  });

  it('changes a consumer of another configuration', async () => {
    await fixture.manager.consumers.add('TASKS', {
      durable_name: 'tester',
      ack_policy: 'explicit',
      ack_wait: 1_000_000_000,
      filter_subjects: ['task.failed', 'task.completed'],
    });
    const { strategy } = await fixture.consume();
    await until(() => strategy.isConsuming());
    expect((await fixture.consumerInfo()).config).toMatchObject({
      ack_wait: 30_000_000_000,
      filter_subjects: ['task.created', 'task.queued'],
    });
  });

  it('refuses a subject of another stream', async () => {
    @Controller()
    class Strange {
      @ConsumesEvents({ stream: 'FLEET', durable: 'tester', subjects: ['task.created'] })
      async on(): Promise<void> {}
    }
    const strategy = new JetStreamStrategy(fixture.bus, keepingLogger().logger);
    await expect(startService(strategy, Strange)).rejects.toThrow('stream FLEET has no subject task.created');
  });
});
