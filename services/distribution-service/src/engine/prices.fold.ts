import type { FleetAgent } from '../fleet/fleet.state.js';
import { touchRating } from '../fleet/journal.fold.js';
import { rate } from './policies.scoring.js';
import { bestIn, type Member } from './pool.fold.js';
import { signatureOf, type FleetIndex, type Signature, type SignatureTask } from './signatures.fold.js';

/** Where the round over the agents of each signature stands. */
export type Rounds = WeakMap<Signature, Iterator<Member>>;

/** How long the task will take compared with the mean, when it came, and what the mean is; milliseconds. */
export type Arrival = { readonly work: number; readonly now: number; readonly meanMs: number };

// What one mean task more for each slot adds to the price. Twice or half of it changes little, ten times does harm.
const STEP = 0.08;
// A little below 1: prices rise before the fleet is full.
const DRAIN = 0.97;
const SAMPLE = 32;
// Smaller changes are left to add up: each one has the agent moved in every signature it is in.
const SMALLEST = 1 / 512;

/**
 * Learns what slots are worth to others, from what arrives, online and without knowing rates: each task goes to a
 * pretended queue of the agent that is best for it at present prices, whether it has room or not; queues empty at the
 * pace agents work. Whoever is wanted most becomes dear, and tasks that others could do as well go to those. It looks at
 * 32 capable agents in turn and at the best with room.
 */
export function learnPrices(index: FleetIndex, rounds: Rounds, task: SignatureTask, arrival: Arrival): void {
  const signature = signatureOf(index, task);
  const [top] = bestIn(signature.own, 1);
  let best: { readonly agent: FleetAgent; readonly rated: number } | undefined;
  for (const { agent } of [...(top === undefined ? [] : [top]), ...nextOf(signature, rounds)]) {
    settle(index, agent, arrival);
    const rated = rate(index.policy, agent, signature.asked);
    if (best === undefined || rated > best.rated) best = { agent, rated };
  }
  if (best === undefined) return;
  const { agent } = best;
  agent.price += (STEP * arrival.work) / agent.maxConcurrent;
  touchRating(index.fleet, agent);
}

/** Lets the pretended queue of an agent empty as time went by. */
function settle({ fleet }: FleetIndex, agent: FleetAgent, { now, meanMs }: Arrival): void {
  const price = Math.max(0, agent.price - (STEP * DRAIN * (now - agent.pricedAt)) / meanMs);
  if (agent.price - price < SMALLEST && agent.price > 0) return;
  const isChanged = price !== agent.price;
  agent.price = price;
  agent.pricedAt = now;
  if (isChanged) touchRating(fleet, agent);
}

function nextOf(signature: Signature, rounds: Rounds): readonly Member[] {
  const members: Member[] = [];
  let round = rounds.get(signature) ?? signature.members.values();
  for (let asked = Math.min(SAMPLE, signature.members.size); asked > 0; asked -= 1) {
    let next = round.next();
    if (next.done === true) {
      round = signature.members.values();
      next = round.next();
    }
    if (next.done !== true && next.value.pool === signature.own) members.push(next.value);
  }
  rounds.set(signature, round);
  return members;
}
