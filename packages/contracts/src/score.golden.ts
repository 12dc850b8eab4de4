import type { Labels } from './labels.js';
import type { Capability, Priority, RequiredCapability } from './task.js';

type GoldenCase = {
  readonly name: string;
  readonly required: readonly RequiredCapability[];
  readonly preferred: readonly string[];
  readonly priority: Priority;
  readonly agent: {
    readonly capabilities: readonly Capability[];
    readonly held: number;
    readonly maxConcurrent: number;
  };
  /** Strength of the creator's (or delegator's) direct edge to the agent, the best two-hop product, or no agent. */
  readonly connection: { readonly direct?: number; readonly twoHops?: number } | 'creator is no agent';
  readonly parts: {
    readonly capability: number;
    readonly workload: number;
    readonly priority: number;
    readonly connection: number;
  };
  readonly total: number;
};

/** The score, pinned case by case; worked out by hand from `docs/scoring.md`. */
export const SCORE_GOLDEN_TABLE: readonly GoldenCase[] = [
  {
    name: 'nothing asked, idle agent, created by a user',
    required: [],
    preferred: [],
    priority: 3,
    agent: { capabilities: [], held: 0, maxConcurrent: 5 },
    connection: 'creator is no agent',
    parts: { capability: 1, workload: 1, priority: 0.6, connection: 0.5 },
    total: 0.4 + 0.3 + 0.12 + 0.05,
  },
  {
    name: 'one required capability at level 0.8, half loaded',
    required: [{ name: 'write' }],
    preferred: [],
    priority: 1,
    agent: { capabilities: [{ name: 'write', level: 0.8 }], held: 2, maxConcurrent: 4 },
    connection: 'creator is no agent',
    parts: { capability: 0.8, workload: 0.65, priority: 1, connection: 0.5 },
    total: 0.32 + 0.195 + 0.2 + 0.05,
  },
  {
    name: 'a preferred capability counts half',
    required: [{ name: 'write', minLevel: 0.5 }],
    preferred: ['french'],
    priority: 5,
    agent: {
      capabilities: [
        { name: 'write', level: 0.9 },
        { name: 'french', level: 0.6 },
      ],
      held: 0,
      maxConcurrent: 1,
    },
    connection: { direct: 1 },
    parts: { capability: 0.8, workload: 1, priority: 0.2, connection: 1 },
    total: 0.32 + 0.3 + 0.04 + 0.1,
  },
  {
    name: 'a missing preferred capability counts as level 0',
    required: [{ name: 'write' }],
    preferred: ['french'],
    priority: 2,
    agent: { capabilities: [{ name: 'write', level: 0.9 }], held: 0, maxConcurrent: 2 },
    connection: {},
    parts: { capability: 0.6, workload: 1, priority: 0.8, connection: 0 },
    total: 0.24 + 0.3 + 0.16 + 0,
  },
  {
    name: 'only preferred capabilities, two hops away',
    required: [],
    preferred: ['french', 'legal'],
    priority: 4,
    agent: { capabilities: [{ name: 'legal', level: 0.5 }], held: 1, maxConcurrent: 10 },
    connection: { twoHops: 0.64 },
    parts: { capability: 0.25, workload: 0.93, priority: 0.4, connection: 0.32 },
    total: 0.1 + 0.279 + 0.08 + 0.032,
  },
  {
    name: 'more than full through prefetch: workload stays within 0..1',
    required: [{ name: 'write' }],
    preferred: [],
    priority: 3,
    agent: { capabilities: [{ name: 'write', level: 1 }], held: 2, maxConcurrent: 1 },
    connection: { direct: 0.25, twoHops: 0.9 },
    parts: { capability: 1, workload: 0, priority: 0.6, connection: 0.25 },
    total: 0.4 + 0 + 0.12 + 0.025,
  },
];

/** What the part `affinity` of the agent `writer` is, added to the total with its weight; absent where nothing is preferred. */
export const AFFINITY_GOLDEN_TABLE: readonly {
  readonly name: string;
  readonly labels: Labels;
  readonly preferredAgents?: readonly string[];
  readonly preferredLabels?: Labels;
  readonly affinity: number | 'absent';
}[] = [
  { name: 'nothing is preferred', labels: { region: 'eu' }, affinity: 'absent' },
  { name: 'it is named', labels: {}, preferredAgents: ['editor', 'writer'], affinity: 1 },
  { name: 'another one is named', labels: {}, preferredAgents: ['editor'], affinity: 0 },
  {
    name: 'one of two labels is there',
    labels: { region: 'eu', tier: 'small' },
    preferredLabels: { region: 'eu', tier: 'large' },
    affinity: 0.5,
  },
  {
    name: 'a label with another value',
    labels: { region: 'us' },
    preferredLabels: { region: 'eu' },
    affinity: 0,
  },
  {
    name: 'it is named, and lacks the labels',
    labels: {},
    preferredAgents: ['writer'],
    preferredLabels: { region: 'eu' },
    affinity: 1,
  },
  {
    name: 'another one is named, and it has the labels',
    labels: { region: 'eu' },
    preferredAgents: ['editor'],
    preferredLabels: { region: 'eu' },
    affinity: 1,
  },
];
