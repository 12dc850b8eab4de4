import { z } from 'zod';
import { SCORE_WEIGHTS } from './decision.js';
import { actor, timestamp, word } from './words.js';

/**
 * How agents are chosen: by a sum of weighted parts, by one with what a slot is worth to others in it, in turns, or by
 * load alone.
 */
export const POLICY_KINDS = ['weighted', 'fit', 'round-robin', 'least-loaded'] as const;
export type PolicyKind = (typeof POLICY_KINDS)[number];

/** The weights of each kind unless a policy says others. As `weighted`, `fit` has a load term that only parts equals. */
export const POLICY_WEIGHTS: Readonly<Record<PolicyKind, Readonly<Record<string, number>>>> = {
  weighted: SCORE_WEIGHTS,
  fit: { capability: 0.4, price: 0.25, workload: 0.05, priority: 0.2, connection: 0.1 },
  'round-robin': { turn: 1 },
  'least-loaded': { workload: 1 },
};

/** The policy of tasks that name none. It is `weighted` until somebody puts another. */
export const DEFAULT_POLICY = 'default';
/** Policies there always are, and their version until somebody puts another of that name. */
export const BUILT_IN_POLICIES: readonly string[] = [...POLICY_KINDS, DEFAULT_POLICY];
export const BUILT_IN_VERSION = 1;

const weight = z.number().min(0).max(1).exactOptional();
const weights = z.strictObject({
  capability: weight,
  workload: weight,
  priority: weight,
  connection: weight,
  duration: weight,
  price: weight,
});

/** Body of `PUT /v1/policies/{name}`: all of the policy. Without weights it has those of its kind. */
export const putPolicy = z
  .strictObject({ kind: z.enum(POLICY_KINDS), weights: weights.optional() })
  .refine(({ kind, weights: given }) => given === undefined || kind === 'weighted' || kind === 'fit', {
    message: 'only the kinds weighted and fit have weights',
    path: ['weights'],
  })
  .refine(({ kind, weights: given }) => kind === 'fit' || given?.price === undefined, {
    message: 'prices are learned for the kind fit alone',
    path: ['weights', 'price'],
  })
  .refine(({ weights: given }) => given === undefined || isShare(sumOf(Object.values(given))), {
    message: 'weights must add up to more than 0 and at most 1',
    path: ['weights'],
  });
export type PutPolicy = z.infer<typeof putPolicy>;

/** A policy as distributors use it. A later version may know more kinds, and more parts to weigh. */
export const policyEntry = z.object({
  name: word,
  version: z.number().int(),
  kind: z.string().max(64),
  weights: z.record(z.string().max(64), z.number()),
});
export type PolicyEntry = z.infer<typeof policyEntry>;

/** A policy as every surface shows it; one that nobody put has no time and nobody. */
export const policyView = policyEntry.extend({
  updatedAt: timestamp.nullable(),
  updatedBy: actor.nullable(),
});
export type PolicyView = Readonly<z.infer<typeof policyView>>;

/** What `GET /v1/policies` answers: all of them, by name. */
export const policyList = z.object({ data: z.array(policyView) });

function sumOf(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

/** Seven tenths and three are a hair more than one. */
function isShare(sum: number): boolean {
  return sum > 0 && sum <= 1 + 1e-9;
}
