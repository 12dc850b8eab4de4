import { z } from 'zod';

/**
 * What is known of an agent by tasks of one type that asked for a capability, and by all of that type under the name
 * `ALL_OF_TYPE`. Sums in which a later outcome takes 1 % from each earlier one.
 */
export const learnedOutcome = z.object({
  type: z.string(),
  capability: z.string(),
  succeeded: z.number(),
  failed: z.number(),
  /** Of the natural logarithms of durations in seconds: how many, their sum, the sum of their squares. */
  durations: z.object({ count: z.number(), sum: z.number(), squares: z.number() }),
});
export type LearnedOutcome = z.infer<typeof learnedOutcome>;

/** The capability under which all outcomes of a type are kept, whatever their tasks required. No word is empty. */
export const ALL_OF_TYPE = '';

/** What is left of an outcome after one more. */
export const OUTCOME_FORGETTING = 0.99;
/** How many outcomes of an agent are served: of the types it worked on last. */
export const OUTCOMES_SERVED = 32;
