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
  /** How often the reading of a stream had to begin elsewhere. */
  private restarts = 0;
  private readonly clients = new Set<Client>();
  private stopFollowing: (() => void) | undefined;
  private idle: NodeJS.Timeout | undefined;
  private isStopping = false;

  constructor(
    private readonly bus: Bus,
    private readonly logger: Logger,
  ) {}

  /** Every stream is over: its client asks another replica. */
  stop(): void {
    this.isStopping = true;
    for (const client of this.clients) client.leave();
    clearTimeout(this.idle);
    this.stopFollowing?.();
  }

  /**
   * Server-sent events behind the one whose id is `last`, from now on without. The generator runs as fast as it is
   * read. Rejects with `UNAVAILABLE` when too many look on, or NATS does not answer.
   */
  async follow(last: string | undefined, gone: AbortSignal): Promise<AsyncGenerator<string>> {
    if (this.clients.size >= MAX_CLIENTS || this.isStopping || gone.aborted)
      throw unavailable(`${this.clients.size} streams are open here`);
    const asked = parsePlace(last);
    const client = this.enter(gone);
    if (this.stopFollowing === undefined) this.startFollowing(asked);
    const until = performance.now() + START_MS;
    while (this.generation() === undefined && !client.isOver && performance.now() < until) {
      await untilWoken(client, START_MS);
    }
    if (this.generation() !== undefined && !client.isOver) return this.events(asked, client);
    client.leave();
    throw unavailable('NATS did not tell of its streams in time');
  }

  /** Signals are not combined here: in Node 20 each combination stays with the longest-lived of them. */
  private enter(gone: AbortSignal): Client {
    clearTimeout(this.idle);
    const client: Client = {
      isOver: false,
      wake: () => {},
      leave: () => {
        if (client.isOver) return;
        client.isOver = true;
        clearTimeout(longest);
        gone.removeEventListener('abort', client.leave);
        this.clients.delete(client);
        client.wake();
        if (this.clients.size === 0) this.idle = setTimeout(() => this.stopFollowing?.(), IDLE_MS).unref();
      },
    };
    const longest = setTimeout(client.leave, LONGEST_MS).unref();
    gone.addEventListener('abort', client.leave);
    this.clients.add(client);
    return client;
  }

  private async *events(asked: Place | undefined, client: Client): AsyncGenerator<string> {
    try {
      yield `retry: ${RETRY_MS}\n\n`;
      let place = asked ?? this.end();
      if (asked === undefined) yield toEvent('ready', place, {});
      while (!client.isOver) {
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
          await delay(PACE_MS);
        } else if (!(await untilWoken(client, BEAT_MS))) yield ': beat\n\n';
      }
    } finally {
      client.leave();
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
    if (this.made.has(stream)) this.restarts += 1;
    feed.restart(begin);
    this.made.set(stream, created);
    this.wake();
    return begin + 1;
  }

  /** Undefined before both streams are known. */
  private generation(): string | undefined {
    const [tasks, fleet] = [this.made.get('TASKS'), this.made.get('FLEET')];
    if (tasks === undefined || fleet === undefined) return undefined;
    return hash('sha256', `${tasks} ${fleet} ${this.restarts}`, 'hex').slice(0, 12);
  }

  private end(): Place {
    return { generation: this.generation() ?? '', tasks: this.tasks.end, agents: this.agents.end };
  }

  private wake(): void {
    for (const client of this.clients) client.wake();
  }
}

/** Somebody who looks on. */
type Client = { isOver: boolean; wake: () => void; readonly leave: () => void };

/** Resolves at the next change, or when the client has left; false when neither came in time. */
function untilWoken(client: Client, ms: number): Promise<boolean> {
  if (client.isOver) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    client.wake = () => {
      clearTimeout(timer);
      resolve(true);
    };
  });
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
