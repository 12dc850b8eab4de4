import { setTimeout as delay } from 'node:timers/promises';
import { DomainError, type TaskEvent } from '@baton/contracts';
import type { DatabaseClock } from '@baton/runtime';
import type { Logger } from 'pino';
import { ingestMetrics } from './ingest.prometheus.js';
import type { IngestStore, Poison } from './ingest.store.js';

/**
 * Flushes begin at least this far apart, so that what falls into one bucket is one row and not many, and a task which is
 * created, assigned, started and completed in between is written once. Figures are late by this much.
 *
 * A flush costs what the rows it falls into cost (each agent's, in four widths), hardly more for many events than for few:
 * one that takes long is given more to do, up to the longest interval.
 */
const SHORTEST_INTERVAL_MS = 500;
const LONGEST_INTERVAL_MS = 2_000;
/** The part of the time that flushes may take. */
const FLUSH_SHARE = 0.05;
/** So many events wait for no interval: it bounds the memory, and the length of a transaction. */
const FLUSH_EVENTS = 5_000;
/** Nor do so many messages: half of those that may be in work, so that others arrive while these are saved. */
const FLUSH_MESSAGES = 250;

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;

/** The events of one message, and whoever waits to acknowledge it. */
type Gathered = {
  readonly events: readonly TaskEvent[];
  /** When the oldest event of the message happened; milliseconds of the epoch. */
  readonly oldest: number;
  readonly settle: (error?: Error) => void;
};

/** Gathers the events of many messages and saves them together. */
export class IngestService {
  readonly #store: IngestStore;
  readonly #logger: Logger;
  readonly #clock: Pick<DatabaseClock, 'now'>;
  readonly #stopping = new AbortController();
  #gathered: Gathered[] = [];
  #gatheredEvents = 0;
  #running = false;
  #nextFlushAt = -Infinity;
  #flushNow: () => void = () => undefined;

  constructor(store: IngestStore, logger: Logger, clock: Pick<DatabaseClock, 'now'>) {
    this.#store = store;
    this.#logger = logger;
    this.#clock = clock;
  }

  /**
   * Resolves when the figures that follow from `events` are committed, however long the database is away: a message
   * refused too often is given up by the ack policy, and would be missing from the figures for good. Throws
   * `VALIDATION_FAILED` when they can never be saved, and `UNAVAILABLE` when the service stops first.
   */
  ingest(events: readonly TaskEvent[]): Promise<void> {
    const oldest = Math.min(...events.map((event) => Date.parse(event.time)));
    return new Promise<void>((resolve, reject) => {
      const settle = (error?: Error) => (error === undefined ? resolve() : reject(error));
      this.#gathered.push({ events, oldest, settle });
      this.#gatheredEvents += events.length;
      if (this.#isFull()) this.#flushNow();
      if (!this.#running) void this.#run();
    });
  }

  /** Counts and records a message that will never be ingested. */
  async giveUp(poison: Poison): Promise<void> {
    await this.#store.savePoison(poison);
    ingestMetrics.poison.inc();
  }

  /** From now on a batch that cannot be saved is given back at once. */
  beforeApplicationShutdown(): void {
    this.#stopping.abort();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#gathered.length > 0) {
      await this.#untilDue();
      const messages = this.#gathered;
      this.#gathered = [];
      this.#gatheredEvents = 0;
      const begunAt = performance.now();
      await this.#flush(messages);
      this.#nextFlushAt = begunAt + intervalAfter(performance.now() - begunAt);
    }
    this.#running = false;
  }

  async #untilDue(): Promise<void> {
    const wait = this.#nextFlushAt - performance.now();
    if (wait <= 0 || this.#isFull()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#flushNow = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #isFull(): boolean {
    return this.#gatheredEvents >= FLUSH_EVENTS || this.#gathered.length >= FLUSH_MESSAGES;
  }

  async #flush(messages: readonly Gathered[]): Promise<void> {
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(MAX_RETRY_MS, retryMs * 2)) {
      try {
        await this.#save(messages);
        return settleAll(messages);
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        if (isRefusal(error)) return this.#flushHalves(messages, error);
        if (this.#stopping.signal.aborted) return settleAll(messages, error);
        this.#logger.warn({ err: error, retryMs }, 'could not save task figures, trying again');
        await delay(retryMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
  }

  /** The database refused a value: only the message that holds it may fail. */
  async #flushHalves(messages: readonly Gathered[], error: Error): Promise<void> {
    if (messages.length === 1) return settleAll(messages, error);
    const middle = messages.length >> 1;
    await this.#flush(messages.slice(0, middle));
    await this.#flush(messages.slice(middle));
  }

  async #save(messages: readonly Gathered[]): Promise<void> {
    const events = messages.flatMap((message) => message.events);
    const stopTimer = ingestMetrics.flushSeconds.startTimer();
    try {
      const { durations, counted } = await this.#store.saveEvents(events);
      for (const seconds of durations) ingestMetrics.taskDurationSeconds.observe(seconds);
      ingestMetrics.events.inc(events.length);
      ingestMetrics.repeated.inc(events.length - counted);
    } finally {
      stopTimer();
      const oldest = Math.min(...messages.map((message) => message.oldest));
      ingestMetrics.lagSeconds.set(Math.max(0, this.#clock.now() - oldest) / 1_000);
    }
  }
}

function intervalAfter(flushMs: number): number {
  return Math.min(LONGEST_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, flushMs / FLUSH_SHARE));
}

function settleAll(messages: readonly Gathered[], error?: Error): void {
  for (const message of messages) message.settle(error);
}

function isRefusal(error: Error): boolean {
  return error instanceof DomainError && !error.retryable;
}
