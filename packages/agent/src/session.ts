import {
  agentSubject,
  DomainError,
  inboxDelivery,
  offer,
  type Assignment,
  type ErrorCode,
  type Goodbye,
  type Heartbeat,
  type Hello,
  type InboxItem,
} from '@baton/contracts';
import { backOffMs, pause } from './back-off.js';
import { messageOf } from './errors.js';
import type { Connection } from './connection.js';
import type { AgentLogger } from './logger.js';

/** Refusals of a hello that no repetition changes: this process can never work as this agent. */
const FATAL: readonly ErrorCode[] = [
  'STALE_SESSION',
  'AGENT_NOT_FOUND',
  'FORBIDDEN',
  'VALIDATION_FAILED',
  'UNSUPPORTED_VERSION',
];
const GOODBYE_TIMEOUT_MS = 2_000;

/** What a hello brought. `previousEpoch` is undefined the first time. */
export type Welcome = {
  readonly epoch: number;
  readonly previousEpoch: number | undefined;
  readonly assignments: readonly Assignment[];
  readonly inbox: readonly InboxItem[];
};

/** This process's life as the agent, as Baton knows it: hello until answered, then beats. */
export type Session = {
  /** Says hello (again): after a reconnect, on request of Baton, on a doubt about the epoch. */
  refresh(): void;
  epoch(): number | undefined;
  /** A hello is on its way: Baton may know an epoch that this process does not know yet. */
  isGreeting(): boolean;
  /** Best effort: Baton finds out by itself if it does not arrive. */
  goodbye(mode: Goodbye['mode']): Promise<void>;
  stop(): void;
};

export type SessionOptions = {
  readonly id: string;
  readonly connection: Connection;
  readonly logger: AgentLogger;
  /** What to announce; asked for at each hello, as `running` changes. */
  announce(): Hello;
  running(): Heartbeat['running'];
  onWelcome(welcome: Welcome): void;
  onRefused(error: DomainError): void;
};

export function createSession(options: SessionOptions): Session {
  const { id, connection, logger } = options;
  const stopping = new AbortController();
  let epoch: number | undefined;
  let sequence = 0;
  let wanted = false;
  let greeting = false;
  let beats: { readonly timer: NodeJS.Timeout; readonly everyMs: number } | undefined;

  function refresh(): void {
    wanted = true;
    if (!greeting) void greet();
  }

  async function greet(): Promise<void> {
    greeting = true;
    // While disconnected there is nothing to try: the reconnect asks for a refresh.
    for (let failures = 0; wanted && connection.isConnected() && !stopping.signal.aborted; failures += 1) {
      wanted = false;
      try {
        welcome(await connection.request(agentSubject.hello(id), JSON.stringify(options.announce())));
        failures = -1;
      } catch (error) {
        if (error instanceof DomainError && FATAL.includes(error.code)) return options.onRefused(error);
        if (failures === 2) logger.warn(`agent ${id}: hello is not answered: ${messageOf(error)}; trying on`);
        wanted = true;
        await pause(backOffMs(failures), stopping.signal).catch(() => {});
      }
    }
    greeting = false;
    // The connection may have come back between the last look at it and here.
    if (wanted && connection.isConnected() && !stopping.signal.aborted) refresh();
  }

  function welcome(answer: Record<string, unknown>): void {
    const { epoch: next, heartbeatMs } = answer;
    if (!Number.isInteger(next) || !(Number(heartbeatMs) > 0)) {
      throw new DomainError('INTERNAL', 'expected an epoch and heartbeatMs in the answer to hello');
    }
    if (stopping.signal.aborted) return;
    const previousEpoch = epoch;
    epoch = next as number;
    if (previousEpoch !== epoch) logger.info(`agent ${id}: connected with epoch ${epoch}`);
    beatEvery(heartbeatMs as number);
    options.onWelcome({ epoch, previousEpoch, ...contentsOf(answer, epoch) });
    beat();
  }

  function contentsOf(
    answer: Record<string, unknown>,
    offeredEpoch: number,
  ): Pick<Welcome, 'assignments' | 'inbox'> {
    const assignments = offer.safeParse({ epoch: offeredEpoch, assignments: answer['assignments'] });
    const inbox = inboxDelivery.safeParse(answer['inbox']);
    if (!assignments.success || !inbox.success) {
      logger.warn(`agent ${id}: ignored malformed contents of the answer to hello`);
    }
    return {
      assignments: (assignments.data?.assignments ?? []) as readonly unknown[] as readonly Assignment[],
      inbox: inbox.data?.items ?? [],
    };
  }

  function beatEvery(everyMs: number): void {
    if (beats?.everyMs === everyMs) return;
    clearInterval(beats?.timer);
    beats = { timer: setInterval(beat, everyMs), everyMs };
  }

  function beat(): void {
    if (epoch === undefined || !connection.isConnected()) return;
    sequence += 1;
    const body: Heartbeat = { epoch, seq: sequence, running: options.running() };
    connection.publish(agentSubject.heartbeat(id), JSON.stringify(body));
  }

  async function goodbye(mode: Goodbye['mode']): Promise<void> {
    if (epoch === undefined) return;
    const body: Goodbye = { epoch, mode };
    try {
      await connection.request(agentSubject.goodbye(id), JSON.stringify(body), {
        timeoutMs: GOODBYE_TIMEOUT_MS,
      });
    } catch (error) {
      logger.info(`agent ${id}: goodbye (${mode}) was not answered: ${messageOf(error)}`);
    }
  }

  function stop(): void {
    stopping.abort(new Error('the session was stopped'));
    clearInterval(beats?.timer);
  }

  return { refresh, epoch: () => epoch, isGreeting: () => greeting, goodbye, stop };
}
