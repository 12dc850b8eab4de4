import { z } from 'zod';
import { agentId } from './words.js';

/** What becomes of an assignment to an agent without room: the task waits for it, or the command is refused. */
export const ifFull = z.enum(['pin', 'refuse']);
export type IfFull = z.infer<typeof ifFull>;

/** `POST /v1/tasks/{id}/assign`: an operator gives a queued task to an agent. */
export const assignTask = z.strictObject({ agentId, ifFull: ifFull.default('refuse') });

/** `POST /v1/tasks/{id}/reassign`: takes a task from its holder, for one agent or for whoever can. */
export const reassignTask = z.strictObject({ agentId: agentId.optional() });
