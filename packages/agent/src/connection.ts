import {
  connect,
  credsAuthenticator,
  errors,
  headers,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import { DomainError, HEADERS, INBOX_PREFIX, PROTOCOL_VERSION, type ErrorBody } from '@baton/contracts';
import { backOffMs, pause } from './back-off.js';
import type { Credentials } from './credentials.js';
import { fromErrorBody, messageOf, unavailable } from './errors.js';
import type { AgentLogger } from './logger.js';

/** How long a request waits for its answer unless said otherwise. */
const REQUEST_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;
/** Where an agent connects that was told nothing. */
export const DEFAULT_SERVERS = 'nats://127.0.0.1:4222';

type RequestOptions = { readonly timeoutMs?: number; readonly traceparent?: string | null | undefined };

/** The agent's own connection to NATS: core messages only, never given up. */
export type Connection = {
  /** Resolves once connected, however long that takes; rejects only when `signal` is aborted. */
  open(signal: AbortSignal): Promise<void>;
  isConnected(): boolean;
  /** The body of an `ok: true` answer; a refusal or no answer rejects with a `DomainError`. */
  request(subject: string, payload: string, options?: RequestOptions): Promise<Record<string, unknown>>;
  /** Fire and forget; dropped while disconnected. */
  publish(subject: string, payload: string): void;
  subscribe(subject: string, handle: (body: unknown, reply: (answer: object) => void) => void): void;
  close(): Promise<void>;
};

export type ConnectionOptions = {
  readonly id: string;
  readonly servers: string;
  /** Without them the server must let in everyone. */
  readonly credentials: Credentials | undefined;
  readonly logger: AgentLogger;
  onReconnected(): void;
  /** The client closed the connection for good although nobody asked it to. */
  onLost(error: Error): void;
};

export function createConnection(options: ConnectionOptions): Connection {
  const { id, servers, credentials, logger } = options;
  const unanswered = new Set<(reason: DomainError) => void>();
  let nats: NatsConnection | undefined;
  let connected = false;
  let closing = false;
  const closed = new AbortController();

  async function open(signal: AbortSignal): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      try {
        await credentials?.renew();
        nats = await dial(options);
        break;
      } catch (error) {
        if (failures === 0)
          logger.warn(
            `agent ${id}: no NATS at ${servers} yet: ${messageOf(error)}; trying on${hintAt(servers)}`,
          );
      }
      await pause(backOffMs(failures), signal);
    }
    connected = true;
    void watch(nats);
    void keepCredentials(nats);
    if (!signal.aborted) return;
    await close();
    signal.throwIfAborted();
  }

  async function watch(opened: NatsConnection): Promise<void> {
    void opened.closed().then((error) => {
      connected = false;
      if (!closing) options.onLost(error ?? new Error(`agent ${id}: the connection to NATS was closed`));
    });
    for await (const status of opened.status()) {
      if (status.type === 'disconnect') disconnected();
      if (status.type === 'reconnect') reconnected();
      if (status.type === 'error') logger.warn(`agent ${id}: NATS says: ${status.error.message}`);
    }
  }

  /** The server ends a connection whose credentials expire: it is made anew before, between two requests. */
  async function keepCredentials(opened: NatsConnection): Promise<void> {
    const renewed = () => {
      logger.info(`agent ${id}: connecting again with renewed credentials`);
      void opened.reconnect();
    };
    await credentials?.keep(closed.signal, renewed).catch(() => {});
  }

  function disconnected(): void {
    connected = false;
    if (!closing) logger.warn(`agent ${id}: lost NATS, reconnecting`);
    // The client would let each of them run into its timeout, though no answer can come any more.
    for (const reject of unanswered) reject(unavailable('disconnected', 'a request'));
    unanswered.clear();
  }

  function reconnected(): void {
    connected = true;
    logger.info(`agent ${id}: NATS is back`);
    options.onReconnected();
  }

  function request(
    subject: string,
    payload: string,
    requestOptions: RequestOptions = {},
  ): Promise<Record<string, unknown>> {
    const opened = nats;
    if (!opened || !connected) return Promise.reject(unavailable('disconnected', subject));
    return new Promise((resolve, reject) => {
      unanswered.add(reject);
      opened
        .request(subject, payload, {
          timeout: requestOptions.timeoutMs ?? REQUEST_TIMEOUT_MS,
          headers: requestHeaders(requestOptions.traceparent),
        })
        .then((message) => resolve(toAnswer(message)))
        .catch((error: unknown) => reject(toDomainError(error, subject, payload)))
        .finally(() => unanswered.delete(reject));
    });
  }

  function publish(subject: string, payload: string): void {
    if (nats && connected) nats.publish(subject, payload, { headers: requestHeaders() });
  }

  function subscribe(
    subject: string,
    handle: (body: unknown, reply: (answer: object) => void) => void,
  ): Subscription {
    if (!nats) throw new Error('subscribe() needs an open connection');
    return nats.subscribe(subject, {
      callback: (error, message) => {
        if (error) return logger.error(`agent ${id}: subscription ${subject} ended: ${error.message}`);
        let body: unknown;
        try {
          body = message.json();
        } catch {
          return logger.warn(`agent ${id}: expected JSON on ${subject}, dropped a message`);
        }
        handle(body, (answer) => void message.respond(JSON.stringify(answer)));
      },
    });
  }

  async function close(): Promise<void> {
    if (closing || !nats) return;
    closing = true;
    closed.abort();
    if (connected) {
      const giveUp = new AbortController();
      // Draining flushes, which never ends if the connection breaks meanwhile.
      await Promise.race([nats.drain(), pause(CLOSE_TIMEOUT_MS, giveUp.signal)]).catch(() => {});
      giveUp.abort();
    }
    connected = false;
    await nats.close();
    for (const reject of unanswered) reject(unavailable('stopped', 'a request'));
  }

  return { open, isConnected: () => connected, request, publish, subscribe, close };
}

function hintAt(servers: string): string {
  if (servers !== DEFAULT_SERVERS || process.env['NATS_URL']) return '';
  return ' (the variable NATS_URL is not set; "npm start" prints its value)';
}

function dial({ id, servers, credentials }: ConnectionOptions): Promise<NatsConnection> {
  return connect({
    servers: servers.split(',').map((server) => server.trim()),
    name: `baton agent ${id}`,
    inboxPrefix: INBOX_PREFIX.agent(id),
    ...(credentials && { authenticator: credsAuthenticator(credentials.current) }),
    timeout: 5_000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    ignoreAuthErrorAbort: true,
    pingInterval: 2_000,
    maxPingOut: 2,
    noAsyncTraces: true,
  });
}

function requestHeaders(traceparent?: string | null): MsgHdrs {
  const result = headers();
  result.set(HEADERS.version, PROTOCOL_VERSION);
  if (traceparent) result.set(HEADERS.traceparent, traceparent);
  return result;
}

function toAnswer(message: Msg): Record<string, unknown> {
  const body = message.json<Record<string, unknown> | null>();
  if (body?.['ok'] === true) return body;
  const error = body?.['error'] as ErrorBody | undefined;
  if (error && typeof error.code === 'string' && typeof error.message === 'string')
    throw fromErrorBody(error);
  throw new DomainError(
    'INTERNAL',
    `expected an answer with ok and error, got ${message.string().slice(0, 200)}`,
  );
}

function toDomainError(error: unknown, subject: string, payload: string): DomainError {
  if (error instanceof DomainError) return error;
  if (error instanceof errors.TimeoutError) return unavailable('timeout', subject);
  if (error instanceof errors.RequestError && error.isNoResponders())
    return unavailable('no_responders', subject);
  if (error instanceof errors.NoRespondersError) return unavailable('no_responders', subject);
  if (error instanceof errors.InvalidArgumentError) {
    const bytes = Buffer.byteLength(payload);
    return new DomainError('PAYLOAD_TOO_LARGE', `expected a message NATS accepts, got ${bytes} bytes`, {
      cause: error,
    });
  }
  if (error instanceof SyntaxError) {
    return new DomainError('INTERNAL', `expected JSON in the answer to ${subject}: ${error.message}`);
  }
  return new DomainError('UNAVAILABLE', `${subject}: ${messageOf(error)}`, {
    details: { reason: 'disconnected' },
  });
}
