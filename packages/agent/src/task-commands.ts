import { randomUUID } from 'node:crypto';
import {
  agentSubject,
  DomainError,
  LIMITS,
  REPORT_VERBS,
  TASK_VERBS,
  type ErrorBody,
  type TaskAnswer,
  type TaskVerb,
} from '@baton/contracts';
import { activeTraceparent } from '@baton/telemetry';
import { backOffMs } from './back-off.js';
import { createBatcher, type Batcher } from './batcher.js';
import { mayPass, messageOf, unavailable } from './errors.js';
import type { Connection } from './connection.js';
import type { AgentLogger } from './logger.js';

/** Two messages in flight hide the round trip; more would only make batches smaller. */
const MAX_FLUSHES = 2;
/** A fault inside Baton that hits one command again and again is not waited out for ever. */
const MAX_INTERNAL_TRIES = 5;

/** Which hold on which task a command is about. */
export type Hold = { readonly taskId: string; readonly attempt: number; readonly epoch: number };

/** `agent.<id>.task.<verb>`: each command keeps its id and is repeated until answered, outages included. */
export type TaskCommands = {
  /** Throws a `TypeError` when `fields` is not JSON. */
  send(verb: TaskVerb, hold: Hold, fields?: object): Promise<TaskAnswer>;
  /** Repeats what waits for the end of an outage now. */
  wake(): void;
  /** Answers all that is unanswered `UNAVAILABLE`. */
  stop(): void;
};

export type TaskCommandsOptions = {
  readonly id: string;
  readonly connection: Connection;
  readonly logger: AgentLogger;
};

export function createTaskCommands(options: TaskCommandsOptions): TaskCommands {
  const batchers = new Map(TASK_VERBS.map((verb) => [verb, verbBatcher(verb, options)]));
  return {
    send(verb, hold, fields) {
      // Progress is gathered over runs, and too frequent to be traced.
      const traceparent = verb === 'progress' ? undefined : activeTraceparent();
      const command = JSON.stringify({ ...hold, commandId: randomUUID(), traceparent, ...fields });
      return (batchers.get(verb) as Batcher<TaskAnswer>).add(command);
    },
    wake() {
      for (const batcher of batchers.values()) batcher.wake();
    },
    stop() {
      for (const [verb, batcher] of batchers) {
        batcher.stop(refusal(unavailable('stopped', agentSubject.task(options.id, verb)).toBody()));
      }
    },
  };
}

function verbBatcher(verb: TaskVerb, { id, connection, logger }: TaskCommandsOptions): Batcher<TaskAnswer> {
  const subject = agentSubject.task(id, verb);
  return createBatcher<TaskAnswer>({
    maxItems: LIMITS.agentItems,
    maxBytes: LIMITS.agentMessageBytes,
    // Of what a handler leaves the order counts.
    maxFlushes: isReport(verb) ? 1 : MAX_FLUSHES,
    retryAfterMs,
    tooLarge: (bytes) =>
      refusal(
        new DomainError(
          'PAYLOAD_TOO_LARGE',
          `expected at most ${LIMITS.agentMessageBytes} bytes for ${verb}, got ${bytes}; store large data elsewhere`,
        ).toBody(),
      ),
    async send(payload, count) {
      try {
        const { items } = await connection.request(subject, payload);
        if (isAnswers(items, count)) return items;
        throw new DomainError('INTERNAL', `expected ${count} answers to ${subject}`);
      } catch (error) {
        if (error instanceof DomainError && !mayPass(error))
          return Array(count).fill(refusal(error.toBody()));
        logger.debug(`agent ${id}: ${verb} of ${count} tasks is sent again: ${messageOf(error)}`);
        throw error;
      }
    },
  });
}

function retryAfterMs(answer: TaskAnswer, tries: number): number | undefined {
  if (answer.ok) return undefined;
  const { code, retryable, retryAfterMs: asked } = answer.error;
  if (retryable || (code === 'INTERNAL' && tries < MAX_INTERNAL_TRIES)) return asked ?? backOffMs(tries);
  return undefined;
}

function isAnswers(items: unknown, count: number): items is TaskAnswer[] {
  return (
    Array.isArray(items) &&
    items.length === count &&
    items.every((item: TaskAnswer | null) => item?.ok === true || typeof item?.error?.code === 'string')
  );
}

function isReport(verb: TaskVerb): boolean {
  return (REPORT_VERBS as readonly TaskVerb[]).includes(verb);
}

function refusal(error: ErrorBody): TaskAnswer {
  return { ok: false, error };
}
