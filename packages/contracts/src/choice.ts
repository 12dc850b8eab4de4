import { z } from 'zod';
import { decision, waiting } from './decision.js';
import { queuedTask } from './service-protocol.js';
import { criteria } from './task.js';
import { agentId } from './words.js';

/** `svc.distribution.assign`, `svc.distribution.simulate`: who of the whole fleet would get this task now? */
export const choiceRequest = z.object({
  task: queuedTask,
  /** Only agents that hold nothing. */
  idle: z.boolean().exactOptional(),
});
/** The decision, or why there is nobody. */
export const choiceAnswer = z.object({ decision: decision.nullable(), waiting: waiting.nullable() });
export type Choice = Readonly<z.infer<typeof choiceAnswer>>;

/** Body of `POST /v1/tasks/{id}/auto-assign`: criteria for this one choice, beside those of the task. */
export const autoAssignTask = z.strictObject({ criteria: criteria.omit({ pin: true }).default({}) });
export const autoAssigned = z.object({ agentId, attempt: z.number().int(), decision });
export type AutoAssigned = Readonly<z.infer<typeof autoAssigned>>;

/** Answer of `POST /v1/tasks/simulate`: who would get such a task if it was ready now, or why nobody. */
export const simulated = choiceAnswer.extend({ agentId: agentId.nullable() });
export type Simulated = Readonly<z.infer<typeof simulated>>;
