import { z } from 'zod';
import { agentId, uuid } from './words.js';

const tokens = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const costUsd = z.number().min(0).max(1_000_000_000);

/** What an attempt has used up so far, all of it each time it is told: the largest figures told are kept. */
export const usage = z.object({
  inputTokens: tokens.default(0),
  outputTokens: tokens.default(0),
  costUsd: costUsd.default(0),
});
export type Usage = Readonly<z.infer<typeof usage>>;

/**
 * `svc.usage`: what attempts have used up, after each change. `hasBudget`: so has their tree, which may be spent by
 * now.
 */
export const usageHint = z.array(
  z.object({
    taskId: uuid,
    attempt: z.number().int(),
    rootTaskId: uuid,
    agentId,
    inputTokens: tokens,
    outputTokens: tokens,
    costUsd,
    hasBudget: z.boolean(),
  }),
);
export type UsageHint = z.infer<typeof usageHint>;
