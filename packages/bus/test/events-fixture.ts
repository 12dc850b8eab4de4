import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { TaskEvent } from '@baton/contracts';
import { startNats, until, type TestNats } from '@baton/testkit';
import { jetstreamManager, type ConsumerInfo, type JetStreamManager } from '@nats-io/jetstream';
import { Controller } from '@nestjs/common';
import { ConsumesEvents, ensureStreams, JetStreamStrategy } from '../src/index.js';
import type { Bus, BusContext, JetStreamStrategyOptions } from '../src/index.js';
import { taskEvent } from './events.js';
import { keepingLogger, startService, testBus, type LogLine } from './service.js';

export type Delivery = { readonly taskIds: readonly string[]; readonly context: BusContext };

export type Consuming = {
  readonly bus: Bus;
  readonly strategy: JetStreamStrategy;
  readonly lines: readonly LogLine[];
  readonly close: () => Promise<void>;
};

/** A NATS of the test file's own, an empty stream for each test, and services that consume from it. */
export type EventsFixture = {
  readonly nats: TestNats;
  readonly bus: Bus;
  readonly manager: JetStreamManager;
  readonly deliveries: readonly Delivery[];
  /** What the consumer does with a delivery; nothing at the start of a test. */
  handle: (delivery: Delivery) => Promise<void>;
  consume(options?: JetStreamStrategyOptions): Promise<Consuming>;
  /** Publishes one message of `task.created`. */
  publish(...taskIds: string[]): Promise<void>;
  consumerInfo(): Promise<ConsumerInfo>;
  /** Everything delivered is acknowledged or ended. */
  untilSettled(): Promise<unknown>;
};

/** Sets it up around the tests of the file. */
export function eventsFixture(): EventsFixture {
  let nats: TestNats;
  let bus: Bus;
  let manager: JetStreamManager;
  let deliveries: Delivery[] = [];
  let closing: (() => Promise<void>)[] = [];
  const fixture: EventsFixture = {
    get nats() {
      return nats;
    },
    get bus() {
      return bus;
    },
    get manager() {
      return manager;
    },
    get deliveries() {
      return deliveries;
    },
    handle: async () => {},
    consume,
    publish,
    consumerInfo: () => manager.consumers.info('TASKS', 'tester'),
    untilSettled: () =>
      until(async () => {
        const { num_pending, num_ack_pending } = await fixture.consumerInfo();
        return num_pending === 0 && num_ack_pending === 0;
      }),
  };

  @Controller()
  class TestConsumer {
    @ConsumesEvents({
      stream: 'TASKS',
      durable: 'tester',
      subjects: ['task.created', 'task.queued'],
      maxInFlight: 4,
    })
    async on(events: TaskEvent[], context: BusContext): Promise<void> {
      const delivery = { taskIds: events.map(({ subject }) => subject), context };
      deliveries.push(delivery);
      await fixture.handle(delivery);
    }
  }

  beforeAll(async () => {
    nats = await startNats();
  });
  beforeEach(async () => {
    deliveries = [];
    fixture.handle = async () => {};
    bus = await testBus(nats, 'svc-publisher');
    await ensureStreams(bus);
    manager = await jetstreamManager(bus.connection);
    await manager.streams.delete('TASKS');
    await ensureStreams(bus);
  });
  afterEach(async () => {
    for (const close of closing.toReversed()) await close();
    closing = [];
    await bus.close();
  });
  afterAll(() => nats.close());
  return fixture;

  async function consume(options: JetStreamStrategyOptions = {}): Promise<Consuming> {
    const { logger, lines } = keepingLogger();
    const own = await testBus(nats, 'svc-consumer', logger);
    closing.push(() => own.close());
    const strategy = new JetStreamStrategy(own, logger, options);
    const close = await startService(strategy, TestConsumer);
    closing.push(close);
    return { bus: own, strategy, lines, close };
  }

  async function publish(...taskIds: string[]): Promise<void> {
    const events = taskIds.map((taskId) => taskEvent('task.created', 1, taskId));
    await bus.publishEvents('task.created', randomUUID(), JSON.stringify(events));
  }
}
