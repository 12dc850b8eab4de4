import { z } from 'zod';
import type { ErrorCode } from './errors.js';
import { agentId } from './words.js';

/** What becomes of an assignment to an agent without room: the task waits for it, or the command is refused. */
export const ifFull = z.enum(['pin', 'refuse']);
export type IfFull = z.infer<typeof ifFull>;

/** `POST /v1/tasks/{id}/assign`: an operator gives a queued task to an agent. */
export const assignTask = z.strictObject({ agentId, ifFull: ifFull.default('refuse') });

/** `POST /v1/tasks/{id}/reassign`: takes a task from its holder, for one agent or for whoever can. */
export const reassignTask = z.strictObject({ agentId: agentId.optional() });

/** Refusals of an agent that is to have a task. */
export const TARGET_ERRORS = [
  'AGENT_NOT_FOUND',
  'DELEGATION_CAPABILITY',
  'DELEGATION_DRAINING',
] as const satisfies readonly ErrorCode[];
/** And of a task that is handed on to one. */
export const DELEGATION_ERRORS = [
  ...TARGET_ERRORS,
  'DELEGATION_NOT_CONNECTED',
  'DELEGATION_CYCLE',
  'DELEGATION_DEPTH',
] as const satisfies readonly ErrorCode[];
