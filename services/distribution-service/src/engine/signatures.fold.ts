import type { QueuedTask } from '@baton/contracts';
import { isNamed, unfitness, type FilterNeeds } from '../assignment/candidates.filter.js';
import type { Fleet, FleetAgent } from '../fleet/fleet.state.js';
import { isKept } from '../fleet/journal.state.js';
import { leaseOf } from '../shards/ownership.fold.js';
import { rate, type Policy } from './policies.scoring.js';
import { createPool, join, leave, update, type Member, type Pool } from './pool.fold.js';
import { askedBy, type Asked } from './scorers.scoring.js';

/** All that tasks must have in common to be for the same agents at the same worth, and who these agents are. */
export type Signature = {
  readonly asked: Asked;
  readonly needs: FilterNeeds;
  /** Online agents that can do it, with room or without: of this process, and of other distributors. */
  readonly own: Pool;
  readonly others: Pool;
  /** By the agent's number; the bits say who is in it, which is asked far more often than it is so. */
  readonly members: Map<number, Member>;
  /** The numbers of online agents that lack a required label. */
  readonly unlabelled: Set<number>;
  bits: Uint32Array;
  /** The step of the fleet, what of its journals was read, and how many agents had gone, when this was true. */
  step: number;
  slots: number;
  profiles: number;
  removals: number;
  /** The step of the latest question. */
  usedAt: number;
};

/** Who can do what, for everything that was asked lately. */
export type FleetIndex = {
  readonly fleet: Fleet;
  readonly policy: Policy;
  readonly signatures: Map<string, Signature>;
  /** The members of all signatures when each was built. */
  size: number;
};

/** What the needs of a task are that a signature is made of. */
export type SignatureTask = {
  readonly type: string;
  readonly needs: Pick<
    QueuedTask['needs'],
    'backlogClass' | 'requiredCapabilities' | 'preferredCapabilities' | 'criteria' | 'pinnedTo'
  >;
};

// Members of all signatures together, a word of bits counting as one: at 100 bytes each some 100 MB.
const MEMBERS_KEPT = 1_000_000;
const SIGNATURES_KEPT = 10_000;
const NO_BITS = new Uint32Array(0);

/** An index of which nothing was asked yet. */
export function createFleetIndex(fleet: Fleet, policy: Policy): FleetIndex {
  return { fleet, policy, signatures: new Map(), size: 0 };
}

/**
 * Who can do a task, true for the fleet as it is now. The first question of a kind costs O(agents), each later one
 * O(agents that changed since the one before): nothing is done for kinds nobody asks for.
 */
export function signatureOf(index: FleetIndex, task: SignatureTask): Signature {
  const key = keyOf(task);
  const { fleet, signatures } = index;
  let signature = signatures.get(key);
  if (signature?.removals === fleet.removals) catchUp(fleet, signature);
  else {
    signature = build(index, task);
    signatures.set(key, signature);
    index.size += sizeOf(signature);
    if (index.size > MEMBERS_KEPT || signatures.size > SIGNATURES_KEPT) forgetUnused(index, signature);
  }
  signature.usedAt = fleet.step;
  return signature;
}

/** What all tasks of this one's backlog class ask for: there they wait for any of the same agents. */
export function classOf({ type, needs }: SignatureTask): SignatureTask {
  const { preferredLabels: _, ...criteria } = needs.criteria;
  return { type, needs: { ...needs, criteria, preferredCapabilities: [] } };
}

function keyOf({
  needs: { backlogClass, preferredCapabilities, criteria, pinnedTo },
}: SignatureTask): string {
  const { preferredLabels } = criteria;
  if (pinnedTo !== undefined) return backlogClass;
  if (preferredCapabilities.length === 0 && preferredLabels === undefined) return backlogClass;
  const labels = preferredLabels === undefined ? '' : JSON.stringify(preferredLabels);
  return `${backlogClass}\n${preferredCapabilities.join('\n')}\n${labels}`;
}

function build({ fleet, policy }: FleetIndex, { type, needs }: SignatureTask): Signature {
  const { requiredCapabilities, criteria, pinnedTo } = needs;
  // Tasks pinned to an agent may have nothing but that in common.
  const isPinned = pinnedTo !== undefined;
  const requiredAgents = isPinned ? [pinnedTo] : criteria.requiredAgents;
  const requiredLabels = isPinned ? undefined : criteria.requiredLabels;
  const signature: Signature = {
    asked: askedBy({ type, needs }),
    needs: {
      requiredCapabilities: isPinned ? [] : requiredCapabilities,
      criteria: { requiredAgents, requiredLabels },
      skippedAgents: [],
    },
    own: createPool(policy),
    others: createPool(policy),
    members: new Map(),
    unlabelled: new Set(),
    bits: NO_BITS,
    step: fleet.step,
    slots: fleet.slots.end,
    profiles: fleet.profiles.end,
    removals: fleet.removals,
    usedAt: 0,
  };
  for (const agent of agentsNamed(fleet, requiredAgents)) reconsider(fleet, signature, agent);
  return signature;
}

function agentsNamed(fleet: Fleet, ids: readonly string[] | undefined): Iterable<FleetAgent> {
  if (ids === undefined) return fleet.agents.values();
  return new Set(ids.flatMap((id) => fleet.agents.get(id) ?? []));
}

function catchUp(fleet: Fleet, signature: Signature): void {
  const { numbered, slots, profiles } = fleet;
  if (isKept(profiles, signature.profiles)) {
    const { entries, end } = profiles;
    for (let at = signature.profiles; at < end; at += 1) {
      const agent = numbered[entries[at & (entries.length - 1)] ?? 0];
      if (agent !== undefined) reconsider(fleet, signature, agent);
    }
  } else for (const agent of fleet.agents.values()) reconsider(fleet, signature, agent);
  if (isKept(slots, signature.slots)) {
    const { entries, end } = slots;
    const { bits } = signature;
    for (let at = signature.slots; at < end; at += 1) {
      const index = entries[at & (entries.length - 1)] ?? 0;
      if (((bits[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0) move(signature, index);
    }
  } else for (const index of signature.members.keys()) move(signature, index);
  signature.step = fleet.step;
  signature.slots = slots.end;
  signature.profiles = profiles.end;
}

/** An agent that is as it was, but for its load and its worth. */
function move({ members, asked, step }: Signature, index: number): void {
  const member = members.get(index);
  if (member === undefined) return;
  const { agent, pool } = member;
  const isRated = agent.ratedAt > step || pool.policy.hasTurns;
  update(member, isRated ? rate(pool.policy, agent, asked) : member.rated);
}

function reconsider(fleet: Fleet, signature: Signature, agent: FleetAgent): void {
  const { members, unlabelled, asked, needs, own, others } = signature;
  const known = members.get(agent.index);
  if (known !== undefined) leave(known);
  const reason = unfitness(agent, needs);
  if (reason === 'criteria' && isNamed(agent.id, needs.criteria)) unlabelled.add(agent.index);
  else unlabelled.delete(agent.index);
  if (reason !== undefined) {
    if (known !== undefined) setMember(signature, agent, undefined);
    return;
  }
  const pool = leaseOf(fleet, agent) === undefined ? others : own;
  setMember(signature, agent, join(pool, agent, rate(pool.policy, agent, asked)));
}

function setMember(signature: Signature, { index }: FleetAgent, member: Member | undefined): void {
  const word = index >>> 5;
  if (word >= signature.bits.length) {
    const bits = new Uint32Array(Math.max(4, word + 1, signature.bits.length * 2));
    bits.set(signature.bits);
    signature.bits = bits;
  }
  const others = (signature.bits[word] ?? 0) & ~(1 << (index & 31));
  signature.bits[word] = member === undefined ? others : others | (1 << (index & 31));
  if (member === undefined) signature.members.delete(index);
  else signature.members.set(index, member);
}

/** Half of what there may be stays: that asked for last. */
function forgetUnused(index: FleetIndex, kept: Signature): void {
  const { signatures } = index;
  const latestFirst = [...signatures].toSorted(([, one], [, other]) => other.usedAt - one.usedAt);
  index.size = sizeOf(kept);
  let count = 1;
  for (const [key, signature] of latestFirst) {
    if (signature === kept) continue;
    if (index.size + sizeOf(signature) > MEMBERS_KEPT / 2 || count >= SIGNATURES_KEPT / 2) {
      signatures.delete(key);
      continue;
    }
    index.size += sizeOf(signature);
    count += 1;
  }
}

function sizeOf({ members, bits }: Signature): number {
  return members.size + bits.length;
}
