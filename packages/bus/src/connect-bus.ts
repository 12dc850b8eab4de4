import { DomainError, EVENT_BATCH_CONTENT_TYPE, HEADERS, PROTOCOL_VERSION } from '@baton/contracts';
import { activeTraceparent } from '@baton/telemetry';
import { jetstream } from '@nats-io/jetstream';
import type { JetStreamClient } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { publishSeconds, secondsSince } from './bus.metrics.js';
import type { Bus, RequestOptions } from './bus.js';
import { openLink, type Link, type LinkOptions } from './link.js';
import { isNoStream, toPublishError, toRequestError, unavailable } from './nats.errors.js';
import { ensureStreams } from './streams.js';
import { tracedPublish, tracedRequest } from './traced.js';

/**
 * Connects to NATS and never gives up: resolves after the first attempt even when that failed, so that a service
 * starts while NATS is down, and goes on trying until `close`.
 */
export async function connectBus(options: LinkOptions): Promise<Bus> {
  const link = await openLink(options);
  const bus: Bus = {
    get connection() {
      return connectionOf(link);
    },
    get jetstream() {
      return jetstreamOf(connectionOf(link));
    },
    publishHint: (subject, body) => publishHint(link, options.logger, subject, body),
    request: (subject, body, requestOptions) =>
      requestTraced(link, subject, JSON.stringify(body), requestOptions),
    requestText: (subject, body, requestOptions) => requestTraced(link, subject, body, requestOptions),
    publishEvents: (subject, messageId, body) =>
      tracedPublish(subject, messageId, body, () => publishEvents(bus, subject, messageId, body)),
    subscribe: (subject, handle, { queue } = {}) =>
      link.listen(subject, jsonReceiver(options.logger, subject, handle), { queue }).stop,
    listen: (subject, receive, { queue } = {}) => link.listen(subject, receive, { queue }),
    isConnected: link.isConnected,
    onConnected: link.onConnected,
    onDisconnected: link.onDisconnected,
    close: link.close,
  };
  return bus;
}

function connectionOf(link: Link): NatsConnection {
  const client = link.client();
  if (!client) throw unavailable('disconnected', 'NATS was not reached yet; try again once it is up');
  return client;
}

const clients = new WeakMap<NatsConnection, JetStreamClient>();

function jetstreamOf(connection: NatsConnection): JetStreamClient {
  const known = clients.get(connection);
  if (known) return known;
  const made = jetstream(connection, { timeout: 5_000 });
  clients.set(connection, made);
  return made;
}

// The client buffers what is published while it is disconnected and throws the buffer away when it dials again:
// whoever publishes must look first.
function publishHint(link: Link, logger: Logger, subject: string, body: unknown): void {
  if (!link.isConnected()) return;
  try {
    connectionOf(link).publish(subject, JSON.stringify(body));
  } catch (error) {
    logger.warn({ err: error, subject }, 'could not publish a hint');
  }
}

const plainHeaders = requestHeaders();

function requestHeaders(traceparent?: string): MsgHdrs {
  const made = headers();
  made.set(HEADERS.version, PROTOCOL_VERSION);
  if (traceparent !== undefined) made.set(HEADERS.traceparent, traceparent);
  return made;
}

function requestTraced(
  link: Link,
  subject: string,
  body: string,
  { timeoutMs, traceparent = activeTraceparent() }: RequestOptions,
): Promise<unknown> {
  return tracedRequest(subject, traceparent, () =>
    request(link, subject, body, { timeoutMs, traceparent: activeTraceparent() ?? traceparent }),
  );
}

async function request(
  link: Link,
  subject: string,
  body: string,
  { timeoutMs, traceparent }: RequestOptions,
): Promise<unknown> {
  if (!link.isConnected()) {
    throw unavailable('disconnected', `${subject}: not connected to NATS; try again`);
  }
  const answer = await connectionOf(link)
    .request(subject, body, {
      timeout: timeoutMs,
      headers: traceparent === undefined ? plainHeaders : requestHeaders(traceparent),
    })
    .catch((error: unknown) => {
      throw toRequestError(error, subject, timeoutMs);
    });
  const text = answer.string();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DomainError(
      'VALIDATION_FAILED',
      `${subject}: expected JSON as the answer, got ${JSON.stringify(text.slice(0, 100))}; the answering side is broken`,
      { cause: error },
    );
  }
}

async function publishEvents(bus: Bus, subject: string, messageId: string, body: string): Promise<void> {
  const begunAt = performance.now();
  let outcome = 'error';
  try {
    await publishAnyhow(bus, subject, messageId, body);
    outcome = 'ok';
  } finally {
    publishSeconds.observe({ subject, outcome }, secondsSince(begunAt));
  }
}

async function publishAnyhow(bus: Bus, subject: string, messageId: string, body: string): Promise<void> {
  try {
    await publishOnce(bus, subject, messageId, body);
  } catch (error) {
    // No one listens on the subject: the stream is gone. A wiped store heals here, without an operator.
    if (!isNoStream(error)) throw toPublishError(error, subject);
    await ensureStreams(bus);
    await publishOnce(bus, subject, messageId, body).catch((second: unknown) => {
      throw toPublishError(second, subject);
    });
  }
}

async function publishOnce(bus: Bus, subject: string, messageId: string, body: string): Promise<void> {
  if (!bus.isConnected()) throw unavailable('disconnected', `${subject}: not connected to NATS; try again`);
  const eventHeaders = headers();
  eventHeaders.set('Content-Type', EVENT_BATCH_CONTENT_TYPE);
  const traceparent = activeTraceparent();
  if (traceparent !== undefined) eventHeaders.set(HEADERS.traceparent, traceparent);
  await bus.jetstream.publish(subject, body, { msgID: messageId, headers: eventHeaders });
}

const complainEveryMs = 10_000;

function jsonReceiver(
  logger: Logger,
  subscribed: string,
  handle: (body: unknown, subject: string) => void,
): (message: Msg) => void {
  let dropped = 0;
  let nextComplaintAt = 0;
  return (message) => {
    let body: unknown;
    try {
      body = JSON.parse(message.string());
    } catch {
      dropped += 1;
      if (performance.now() < nextComplaintAt) return;
      nextComplaintAt = performance.now() + complainEveryMs;
      logger.warn({ subscribed, subject: message.subject, dropped }, 'dropped messages that are not JSON');
      return;
    }
    try {
      handle(body, message.subject);
    } catch (error) {
      logger.error({ err: error, subject: message.subject }, 'the handler of a subscription threw');
    }
  };
}
