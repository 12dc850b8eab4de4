import { shardOf, type AgentStatus, type FleetEntry, type Labels } from '@baton/contracts';
import { createJournal, type Journal } from './journal.state.js';

/** Who holds a task, by which version of the task, and at which step of the fleet that was learned. */
type Hold = { readonly agentId: string; readonly version: number; readonly learnedAt: number };

/**
 * Weighted counts of tasks that succeeded and failed, and the sum of the natural logarithms of how many seconds those
 * that succeeded took; what is long past counts less.
 */
export type Outcomes = {
  readonly succeeded: number;
  readonly failed: number;
  readonly durations: { readonly count: number; readonly sum: number };
};

/** An agent as the distribution sees it. Changed in place, and only by the folds of this folder. */
export type FleetAgent = {
  readonly id: string;
  readonly shard: number;
  status: AgentStatus;
  epoch: number;
  /** Milliseconds of the caller's clock at which this life of the agent became known. */
  epochSince: number;
  /** Level by capability name. */
  levels: ReadonlyMap<string, number>;
  labels: Labels;
  maxConcurrent: number;
  prefetch: number;
  heartbeatMs: number;
  expireMs: number;
  connections: FleetEntry['connections'];
  /** Not heard for its expiry time and not expired yet: gets nothing new. */
  silent: boolean;
  /** Ids of the tasks it holds, and of those an unanswered assignment would give it. */
  readonly held: Set<string>;
  readonly reserved: Set<string>;
  /** The step at which an assignment was refused for its sake: counts as full until a later snapshot. 0: not. */
  doubtedAt: number;
  /** The step of its latest assignment; 0 for never. */
  assignedAt: number;
  /** The step at which its load changed last; 0 for never. Orders agents that are equally good. */
  movedAt: number;
  /** What a slot of it is worth to others, 0..1: learned online by the policies that ask for it. */
  price: number;
  /** Milliseconds of the caller's clock at which the price was worked out. */
  pricedAt: number;
  /** What became of its tasks, by type and capability. */
  readonly outcomes: Map<string, Outcomes>;
  /** The same as it was read last, to tell whether a snapshot has news. */
  outcomesRead: string;
  /** The step at which its entry was learned. */
  learnedAt: number;
  fingerprint: string;
  /** Its number in this process, from 0, never given again. */
  readonly index: number;
  /** The step at which its worth to tasks changed last, not counting its load. */
  ratedAt: number;
};

/** A lease of this process: by which epoch, and since when without a gap of owners (ms of the caller's clock). */
export type OwnShard = { readonly epoch: number; readonly since: number };

/** Who decides about which agents. Changed only by the folds of `shards/`. */
export type Shards = {
  /** This process among the distributors. */
  readonly self: string;
  /** The shards this process holds a lease of now: it decides about their agents, and about no others. */
  readonly own: Map<number, OwnShard>;
  /** The latest lease of each shard this process ever had. */
  readonly latest: Map<number, OwnShard>;
  /** Who held each shard as the latest answer told, and all who held any, in order. */
  readonly owners: Map<number, string>;
  distributors: readonly string[];
};

/**
 * Everything known about agents and what they hold: a fold over hints and snapshots, without I/O or clock.
 * Changed in place, as it takes thousands of steps a second.
 */
export type Fleet = {
  readonly shards: Shards;
  readonly agents: Map<string, FleetAgent>;
  /** Who holds a task, for every held task. */
  readonly holds: Map<string, Hold>;
  /** The latest releases, oldest first: a hold that arrives after its release must not count. */
  readonly released: Map<string, { readonly agentId: string; readonly version: number }>;
  /** What task-service holds back: everything, or tasks of some types, of which so many may still be proposed. */
  heldBack: { readonly all: boolean; readonly types: Map<string, number> };
  /** Counts what was learned. An answer to a question asked at step n knows nothing of later steps. */
  step: number;
  /** Counts changes of who there is, what they can do and whose they are; caches compare it. */
  generation: number;
  /** Counts how often an agent without room got room. */
  freed: number;
  /** Counts how often an agent was heard to have no room any more; for those of others, as one's own are reserved. */
  filled: number;
  /** The agents by their numbers. */
  readonly numbered: (FleetAgent | undefined)[];
  /** Changes of what agents hold and are worth, and of who they are. */
  readonly slots: Journal;
  readonly profiles: Journal;
  /** How many agents are offline or silent, and how many draining. */
  readonly census: { offline: number; draining: number };
  /** Counts agents that went for good. */
  removals: number;
};

/** A fleet nothing is known about, and of which `self` owns nothing. */
export function createFleet(self: string): Fleet {
  const shards = { self, own: new Map(), latest: new Map(), owners: new Map(), distributors: [] };
  return {
    shards,
    agents: new Map(),
    holds: new Map(),
    released: new Map(),
    heldBack: { all: false, types: new Map() },
    step: 0,
    generation: 0,
    freed: 0,
    filled: 0,
    numbered: [],
    slots: createJournal(),
    profiles: createJournal(),
    census: { offline: 0, draining: 0 },
    removals: 0,
  };
}

/** An agent of which only the id is known. */
export function createAgent(id: string, index: number): FleetAgent {
  return {
    id,
    shard: shardOf(id),
    status: 'offline',
    epoch: 0,
    epochSince: 0,
    levels: new Map(),
    labels: {},
    maxConcurrent: 0,
    prefetch: 0,
    heartbeatMs: 0,
    expireMs: 0,
    connections: [],
    silent: false,
    held: new Set(),
    reserved: new Set(),
    doubtedAt: 0,
    assignedAt: 0,
    movedAt: 0,
    price: 0,
    pricedAt: 0,
    outcomes: new Map(),
    outcomesRead: '[]',
    learnedAt: 0,
    fingerprint: '',
    index,
    ratedAt: 0,
  };
}
