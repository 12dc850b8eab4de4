import { z } from 'zod';
import { errorBody, type ErrorCode } from './errors.js';
import type { ServiceName } from './subjects.js';

/** Sections of the protocol, in the order the documents show them. */
export const MESSAGE_GROUPS = {
  session: 'An agent comes, lives and goes, and gets its tasks.',
  command: 'What an agent says about a task it holds.',
  call: 'What an agent asks for that is not about its own hold on a task.',
  service: 'Requests between services.',
  hint: 'Published without an answer; loss is healed by snapshots.',
} as const;

/** One message over NATS. `docs/asyncapi.json` and `docs/protocol.md` come from these. */
export type Message = {
  /** Parts that vary in braces: `agent.{agentId}.hello`. */
  readonly subject: string;
  readonly group: keyof typeof MESSAGE_GROUPS;
  readonly from: 'agent' | ServiceName;
  /** Services that send it too: all that may are given the right to by NATS. */
  readonly alsoFrom?: readonly ServiceName[];
  /** What it means, in sentences. */
  readonly tells: string;
  readonly body: z.ZodType;
  /** What success answers. Without one the message is published, not asked. */
  readonly answer?: z.ZodType;
  /** Refusals of its own, beside those that any request may get (`messageErrors`). */
  readonly errors: readonly ErrorCode[];
};

/** Everything a request may be refused with; agents refuse nothing as a whole. */
export function messageErrors({ answer, from, group, errors }: Message): readonly ErrorCode[] {
  const isToAgent = group === 'session' && from === 'task-service';
  if (answer === undefined || isToAgent) return [];
  const ofAgents: readonly ErrorCode[] = from === 'agent' ? ['UNSUPPORTED_VERSION', 'RATE_LIMITED'] : [];
  return [...new Set<ErrorCode>(['VALIDATION_FAILED', ...ofAgents, ...errors, 'INTERNAL', 'UNAVAILABLE'])];
}

/** How a request is refused. */
export const refusal = z.object({ ok: z.literal(false), error: errorBody });

/** The answer to a batch: for each item, in the same order, what came of it. */
export function itemsOf(item: z.ZodObject) {
  return z.object({
    items: z.array(z.union([accepted(item), refusal])),
  });
}

/** What success answers an agent. */
export function accepted(fields: z.ZodObject) {
  return z.object({ ok: z.literal(true), ...fields.shape });
}
