import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { followStream, type Bus, type StreamState } from '@baton/bus';
import {
  DomainError,
  type FleetEvent,
  type LiveAgent,
  type LiveTask,
  type StreamName,
  type TaskEvent,
} from '@baton/contracts';
import type { Logger } from 'pino';
import { createFeed, type Feed } from './feed.fold.js';
import { toLiveAgent, toLiveTask } from './live.changes.js';

/** Tasks and agents of which the latest change is known: some 20 MB, whatever clients do. */
const KEPT = 20_000;
/** Of one process. A client costs a connection and two numbers. */
const MAX_CLIENTS = 1_000;
/** Changes in one event, and how long no further one follows it: what a task goes through meanwhile becomes one. */
const PAGE = 500;
const PACE_MS = 250;
const BEAT_MS = 15_000;
const RETRY_MS = 1_000;
/** Then the client connects anew where it stopped: with a key that may have been revoked. */
const LONGEST_MS = 600_000;
/** The streams are read while somebody looks on, and so long after. */
const IDLE_MS = 60_000;
const START_MS = 5_000;

/** Up to which message of each stream a client has everything; `generation` tells the streams that were then. */
type Place = { readonly generation: string; readonly tasks: number; readonly agents: number };

/**
 * What happens to all tasks and agents, for any number of clients. Each replica reads the streams itself and so knows
 * everything; without clients it reads nothing.
 */
export class LiveService {
  private readonly tasks: Feed<LiveTask> = createFeed(KEPT);
  private readonly agents: Feed<LiveAgent> = createFeed(KEPT);
  /** When each stream was made that is followed now. */
  private readonly made = new Map<StreamName, string>();
  private readonly stopping = new AbortController();
  private readonly waiting = new Set<() => void>();
  private stopFollowing: (() => void) | undefined;
  private idle: NodeJS.Timeout | undefined;
  private clients = 0;

  constructor(
    private readonly bus: Bus,
    private readonly logger: Logger,
  ) {}

  /** Every stream is over: its client asks another replica. */
  stop(): void {
    this.stopping.abort();
    this.wake();
    clearTimeout(this.idle);
    this.stopFollowing?.();
  }

  /**
   * Server-sent events behind the one whose id is `last`, from now on without. The generator runs as fast as it is
   * read. Rejects with `UNAVAILABLE` when too many look on, or NATS does not answer.
   */
  async follow(last: string | undefined, gone: AbortSignal): Promise<AsyncGenerator<string>> {
    const asked = parsePlace(last);
    const over = AbortSignal.any([gone, this.stopping.signal, AbortSignal.timeout(LONGEST_MS)]);
    if (this.clients >= MAX_CLIENTS || over.aborted)
      throw unavailable(`${this.clients} streams are open here`);
    if (this.stopFollowing === undefined) this.startFollowing(asked);
    const until = performance.now() + START_MS;
    while (this.generation() === undefined) {
      if (performance.now() > until) throw unavailable('NATS did not tell of its streams in time');
      await this.next(START_MS, over);
    }
    return this.events(asked, over);
  }

  private async *events(asked: Place | undefined, over: AbortSignal): AsyncGenerator<string> {
    this.clients += 1;
    clearTimeout(this.idle);
    try {
      yield `retry: ${RETRY_MS}\n\n`;
      let place = asked ?? this.end();
      if (asked === undefined) yield toEvent('ready', place, {});
      while (!over.aborted) {
        const tasks = this.tasks.after(place.tasks, PAGE);
        const agents = this.agents.after(place.agents, PAGE);
        if (place.generation !== this.generation() || tasks === undefined || agents === undefined) {
          place = this.end();
          yield toEvent('reset', place, {});
          continue;
        }
        place = { ...place, tasks: tasks.end, agents: agents.end };
        if (tasks.changes.length + agents.changes.length > 0) {
          yield toEvent('changes', place, { tasks: tasks.changes, agents: agents.changes });
          await delay(PACE_MS, undefined, { signal: over }).catch(() => undefined);
        } else if (!(await this.next(BEAT_MS, over))) yield ': beat\n\n';
      }
    } finally {
      this.clients -= 1;
      if (this.clients === 0) this.idle = setTimeout(() => this.stopFollowing?.(), IDLE_MS).unref();
    }
  }

  private startFollowing(asked: Place | undefined): void {
    const { bus, logger } = this;
    const stops = [
      followStream({
        bus,
        logger,
        stream: 'TASKS',
        from: (state) => this.begin('TASKS', this.tasks, { ...state, asked: asked?.tasks }),
        receive: (sequence, events) => {
          for (const event of events as readonly TaskEvent[])
            this.tasks.add(sequence, event.subject, toLiveTask(event));
          this.wake();
        },
      }),
      followStream({
        bus,
        logger,
        stream: 'FLEET',
        from: (state) => this.begin('FLEET', this.agents, { ...state, asked: asked?.agents }),
        receive: (sequence, events) => {
          for (const event of events as readonly FleetEvent[]) {
            const change = toLiveAgent(event);
            if (change !== undefined) this.agents.add(sequence, event.subject, change);
          }
          this.wake();
        },
      }),
    ];
    this.stopFollowing = () => {
      for (const stop of stops) stop();
      this.stopFollowing = undefined;
      this.made.clear();
    };
  }

  /** Where the first client stopped, if the stream goes back so far and it is not too much; else from now on. */
  private begin<T>(
    stream: StreamName,
    feed: Feed<T>,
    { created, first, last, asked = last }: StreamState & { readonly asked: number | undefined },
  ): number {
    const isKnown = asked >= first - 1 && asked <= last && last - asked <= KEPT;
    const begin = this.made.has(stream) || !isKnown ? last : asked;
    feed.restart(begin);
    this.made.set(stream, created);
    this.wake();
    return begin + 1;
  }

  /** Undefined before both streams are known. */
  private generation(): string | undefined {
    const [tasks, fleet] = [this.made.get('TASKS'), this.made.get('FLEET')];
    if (tasks === undefined || fleet === undefined) return undefined;
    return hash('sha256', `${tasks} ${fleet}`, 'hex').slice(0, 12);
  }

  private end(): Place {
    return { generation: this.generation() ?? '', tasks: this.tasks.end, agents: this.agents.end };
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  /** Resolves at the next change, or when it is over; false when neither came in time. */
  private async next(ms: number, over: AbortSignal): Promise<boolean> {
    const waited = new AbortController();
    let resolve = () => {};
    const woken = new Promise<true>((done) => {
      resolve = () => done(true);
    });
    this.waiting.add(resolve);
    const signal = AbortSignal.any([over, waited.signal]);
    const timer = delay(ms, false, { signal }).catch(() => true);
    try {
      return await Promise.race([woken, timer]);
    } finally {
      this.waiting.delete(resolve);
      waited.abort();
    }
  }
}

function toEvent(name: string, { generation, tasks, agents }: Place, data: object): string {
  return `id: ${generation}-${tasks}-${agents}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** What is no id of ours is like one of streams that are gone. */
function parsePlace(id: string | undefined): Place | undefined {
  if (id === undefined || id === '') return undefined;
  const [, generation = '', tasks = '0', agents = '0'] =
    /^([0-9a-f]{12})-(\d{1,15})-(\d{1,15})$/.exec(id) ?? [];
  return { generation, tasks: Number(tasks), agents: Number(agents) };
}

function unavailable(what: string): DomainError {
  return new DomainError('UNAVAILABLE', `${what}; try again`, { retryAfterMs: RETRY_MS });
}
