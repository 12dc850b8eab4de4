import type { JetStreamClient } from '@nats-io/jetstream';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { Listening } from './link.js';

export type Bus = {
  /** The NATS client of now; do not keep it. Throws `UNAVAILABLE` before the first connect. */
  readonly connection: NatsConnection;
  /** Throws as `connection` does. */
  readonly jetstream: JetStreamClient;
  /** Core publish of a hint (JSON). Dropped silently while disconnected. */
  publishHint(subject: string, body: unknown): void;
  /**
   * JSON request; the decoded answer, unvalidated. Rejects with `UNAVAILABLE` and `details.reason`
   * `timeout`, `no_responders` or `disconnected`; `VALIDATION_FAILED` when the answer is not JSON.
   */
  request(subject: string, body: unknown, options: RequestOptions): Promise<unknown>;
  /** As `request`, with a body that is JSON text already. */
  requestText(subject: string, body: string, options: RequestOptions): Promise<unknown>;
  /**
   * JetStream publish of serialised JSON; resolves when the server has stored it. `messageId` de-duplicates per
   * stream. A missing stream is made again first. Rejects with `UNAVAILABLE` (the message may have been stored
   * nevertheless) or `PAYLOAD_TOO_LARGE`.
   */
  publishEvents(subject: string, messageId: string, body: string): Promise<void>;
  /** Core subscription with the decoded JSON; what is not JSON is dropped, counted and logged. Returns stop(). */
  subscribe(
    subject: string,
    handle: (body: unknown, subject: string) => void,
    options?: { queue?: string },
  ): () => void;
  /** Core subscription with the message as it came; `receive` must not throw. Survives reconnects. */
  listen(subject: string, receive: (message: Msg) => void, options?: { queue?: string }): Listening;
  isConnected(): boolean;
  /** Called after each connect and reconnect from now on, not for the one that stands. Returns remove(). */
  onConnected(listener: () => void): () => void;
  onDisconnected(listener: () => void): () => void;
  /** Drains for at most 5 s, then closes. Safe to call twice. */
  close(): Promise<void>;
};

export type RequestOptions = {
  readonly timeoutMs: number;
  /** The trace it belongs to; when left out, that of the span it is sent in. */
  readonly traceparent?: string | undefined;
};

/** Nest injection token of the process's one `Bus`. */
export const BUS = Symbol('Bus');
