import { setTimeout as delay } from 'node:timers/promises';
import { connect, credsAuthenticator } from '@nats-io/transport-node';
import type { ConnectionOptions, Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { explainUnreachable } from './unreachable.js';

export type LinkOptions = {
  /** Comma-separated addresses, such as `nats://127.0.0.1:4222`. */
  readonly servers: string;
  readonly name: string;
  readonly inboxPrefix: string;
  /** The text of a `.creds` file; without it the server must let in everyone. */
  readonly credentials?: string | undefined;
  readonly logger: Logger;
};

/** A subscription that outlives any single connection. */
export type Listening = {
  /** Unsubscribes; resolves when what the server had sent by then was handed over. */
  readonly drain: () => Promise<void>;
  /** Unsubscribes at once. */
  readonly stop: () => void;
};

type Listener = {
  readonly subject: string;
  readonly queue: string | undefined;
  readonly receive: (message: Msg) => void;
  subscription: Subscription | undefined;
};

/** The connection as it comes and goes: one NATS client that is made, followed and, should it ever end, replaced. */
export type Link = {
  /** The client of now; undefined before the first connect. */
  readonly client: () => NatsConnection | undefined;
  readonly isConnected: () => boolean;
  readonly onConnected: (listener: () => void) => () => void;
  readonly onDisconnected: (listener: () => void) => () => void;
  /** `receive` must not throw: an exception in it ends the client's reader for good. */
  readonly listen: (
    subject: string,
    receive: (message: Msg) => void,
    options: { queue?: string | undefined },
  ) => Listening;
  readonly close: () => Promise<void>;
};

const drainDeadlineMs = 5_000;
const pauseMs = 500;
const complainEveryMs = 30_000;

/** Resolves after the first attempt, whether it succeeded or not; attempts go on until `close`. */
export async function openLink(options: LinkOptions): Promise<Link> {
  const { logger } = options;
  const listeners = new Set<Listener>();
  const connectedListeners = new Set<() => void>();
  const disconnectedListeners = new Set<() => void>();
  const closing = new AbortController();
  let client: NatsConnection | undefined;
  let connected = false;
  let closed: Promise<void> | undefined;
  let lastComplaintAt = Number.NEGATIVE_INFINITY;

  let firstAttemptEnded: (() => void) | undefined;
  const firstAttempt = new Promise<void>((resolve) => {
    firstAttemptEnded = resolve;
  });
  const living = live();
  await firstAttempt;

  return {
    client: () => client,
    isConnected: () => connected,
    onConnected: (listener) => register(connectedListeners, listener),
    onDisconnected: (listener) => register(disconnectedListeners, listener),
    listen,
    close: () => (closed ??= close()),
  };

  async function live(): Promise<void> {
    while (!closing.signal.aborted) {
      const made = await tryConnect();
      if (made) await use(made);
      firstAttemptEnded?.();
      await delay(pauseMs, undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  async function tryConnect(): Promise<NatsConnection | undefined> {
    try {
      return await connect(clientOptions(options));
    } catch (error) {
      if (closing.signal.aborted || performance.now() - lastComplaintAt < complainEveryMs) return undefined;
      lastComplaintAt = performance.now();
      logger.warn(explainUnreachable(error, options.servers));
      return undefined;
    }
  }

  /** Returns when the client has ended: by `close`, else by a fault of its own that a new client gets over. */
  async function use(made: NatsConnection): Promise<void> {
    const statuses = made.status();
    if (closing.signal.aborted) return made.close();
    client = made;
    for (const listener of listeners) attach(listener, made);
    becomeConnected(made);
    firstAttemptEnded?.();
    for await (const status of statuses) {
      if (status.type === 'disconnect') becomeDisconnected();
      if (status.type === 'reconnect') becomeConnected(made);
      if (status.type === 'error') logger.warn({ err: status.error }, 'NATS reported an error');
    }
    becomeDisconnected();
  }

  function becomeConnected(made: NatsConnection): void {
    if (connected) return;
    connected = true;
    logger.info({ server: made.getServer(), version: made.info?.version }, 'connected to NATS');
    notify(connectedListeners);
  }

  function becomeDisconnected(): void {
    if (!connected) return;
    connected = false;
    if (!closing.signal.aborted) logger.warn('lost the connection to NATS; reconnecting');
    notify(disconnectedListeners);
  }

  function notify(whom: ReadonlySet<() => void>): void {
    for (const listener of whom) {
      try {
        listener();
      } catch (error) {
        logger.error({ err: error }, 'a listener to the NATS connection threw');
      }
    }
  }

  function listen(
    subject: string,
    receive: (message: Msg) => void,
    { queue }: { queue?: string | undefined },
  ): Listening {
    const listener: Listener = { subject, queue, receive, subscription: undefined };
    listeners.add(listener);
    if (client && !client.isClosed()) attach(listener, client);
    return {
      async drain() {
        listeners.delete(listener);
        // Offline there is nothing to drain, and the flush would wait for the next connection.
        if (!connected) return listener.subscription?.unsubscribe();
        await listener.subscription?.drain().catch(() => {});
      },
      stop() {
        listeners.delete(listener);
        listener.subscription?.unsubscribe();
      },
    };
  }

  function attach(listener: Listener, to: NatsConnection): void {
    const { subject, queue } = listener;
    listener.subscription = to.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error) logger.error({ err: error, subject }, 'the NATS server ended a subscription');
        else listener.receive(message);
      },
    });
  }

  async function close(): Promise<void> {
    closing.abort();
    if (client && !client.isClosed()) {
      const drained = connected ? client.drain().catch(() => {}) : Promise.resolve();
      const deadline = new AbortController();
      await Promise.race([
        drained,
        delay(drainDeadlineMs, undefined, { signal: deadline.signal }).catch(() => {}),
      ]);
      deadline.abort();
      if (!client.isClosed()) await client.close();
    }
    await living;
  }
}

function register(listeners: Set<() => void>, listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function clientOptions(options: LinkOptions): ConnectionOptions {
  return {
    servers: options.servers.split(',').map((server) => server.trim()),
    name: options.name,
    inboxPrefix: options.inboxPrefix,
    ...(options.credentials !== undefined && {
      // The client wants the line break at the end that those who read a secret from a file take away.
      authenticator: credsAuthenticator(new TextEncoder().encode(`${options.credentials}\n`)),
    }),
    timeout: 5_000,
    // By default the client gives up for good after 10 attempts, or after two equal authentication errors.
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    // A server that hangs is noticed after 2 to 3 s; the default is 4 minutes.
    pingInterval: 1_000,
    maxPingOut: 2,
    noAsyncTraces: true,
  };
}
