import { describe, expect, it } from '@jest/globals';
import {
  AFFINITY_GOLDEN_TABLE,
  AFFINITY_WEIGHT,
  SCORE_GOLDEN_TABLE,
  SCORE_PARTS,
  type Priority,
  type Score,
} from '@baton/contracts';
import fc from 'fast-check';
import { POLICIES, score, type Policy } from './policies.scoring.js';
import { connectionPart, strengthsOf } from './scorers.scoring.js';

const part = fc.double({ min: 0, max: 1, noNaN: true });
const priority = fc.constantFrom<Priority>(1, 2, 3, 4, 5);
const policies = fc.constantFrom(...Object.values(POLICIES));
const names = ['a', 'b', 'c', 'd'];
const needs = fc.record({
  type: fc.constant<string>('task'),
  requiredCapabilities: fc.subarray(names).map((chosen) => chosen.map((name) => ({ name }))),
  preferredCapabilities: fc.subarray(names),
});
const outcomes = fc.record({
  succeeded: fc.nat(50),
  failed: fc.nat(50),
  durations: fc.record({ count: fc.nat(50), sum: fc.integer({ min: -300, max: 600 }) }),
});
const agent = fc.record({
  id: fc.constant('agent'),
  levels: fc.dictionary(fc.constantFrom(...names), part).map((levels) => new Map(Object.entries(levels))),
  outcomes: fc
    .dictionary(fc.constantFrom('task\na', 'task\nb'), outcomes)
    .map((of) => new Map(Object.entries(of))),
  labels: fc.dictionary(fc.constantFrom('region', 'tier'), fc.constantFrom('a', 'b')),
  price: fc.double({ min: 0, max: 2, noNaN: true }),
  assignedAt: fc.nat(1_000_000),
});
type Agent = typeof agent extends fc.Arbitrary<infer T> ? T : never;
type Asked = typeof needs extends fc.Arbitrary<infer T> ? T : never;

const UNKNOWN = { succeeded: 0, failed: 0, durations: { count: 0, sum: 0 } };
const idle: Agent = {
  id: 'agent',
  levels: new Map(),
  outcomes: new Map(),
  labels: {},
  price: 0,
  assignedAt: 0,
};

/** The score of an agent for a task of which everything is given. */
function scoreFor(
  policy: Policy,
  rated: Agent,
  task: { asked: Asked; priority: Priority; connection?: number | undefined },
  utilization: number,
): Score {
  const { asked, connection } = task;
  const strengths = strengthsOf(connection === undefined ? undefined : new Map([['agent', connection]]));
  return score(policy, rated, { asked, priority: task.priority, strengths }, utilization);
}

describe('the score', () => {
  for (const golden of SCORE_GOLDEN_TABLE) {
    it(`is as the golden table says: ${golden.name}`, () => {
      const asked = {
        type: 'task',
        requiredCapabilities: [...golden.required],
        preferredCapabilities: [...golden.preferred],
      };
      const levels = new Map(golden.agent.capabilities.map(({ name, level }) => [name, level]));
      const connection =
        golden.connection === 'creator is no agent' ? {} : { connection: connectionPart(golden.connection) };
      const utilization = golden.agent.held / golden.agent.maxConcurrent;
      const task = { asked, priority: golden.priority, ...connection };
      const { total, parts } = scoreFor(POLICIES.weighted, { ...idle, levels }, task, utilization);
      for (const { name, value } of parts) {
        expect(Math.abs(value - golden.parts[name as keyof typeof golden.parts])).toBeLessThan(1e-12);
      }
      expect(Math.abs(total - golden.total)).toBeLessThan(1e-12);
    });
  }

  for (const { name, labels, affinity, ...preferred } of AFFINITY_GOLDEN_TABLE) {
    it(`has for its affinity what the golden table says, by every policy: ${name}`, () => {
      const { preferredLabels, preferredAgents } = preferred;
      const asked = { type: 'task', requiredCapabilities: [], preferredCapabilities: [], preferredLabels };
      const writer = { ...idle, id: 'writer', labels };
      const plain = {
        asked: { ...asked, preferredLabels: undefined },
        priority: 3,
        strengths: strengthsOf(undefined),
      } as const;
      for (const policy of Object.values(POLICIES)) {
        const before = score(policy, writer, plain, 0);
        const { total, parts } = score(policy, writer, { ...plain, asked, preferredAgents }, 0);
        const recorded = parts.find((one) => one.name === 'affinity');
        expect(recorded?.value ?? 'absent').toBe(affinity);
        const bonus = affinity === 'absent' ? 0 : AFFINITY_WEIGHT * affinity;
        expect(Math.abs(total - before.total - bonus)).toBeLessThan(1e-12);
      }
    });
  }

  it('stays within 0 and 1, each part and the total, by every policy', () => {
    fc.assert(
      fc.property(policies, needs, priority, agent, part, (policy, asked, urgency, rated, load) => {
        const { total, parts } = scoreFor(policy, rated, { asked, priority: urgency }, 2 * load);
        for (const value of [total, ...parts.map((one) => one.value)]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1 + 1e-12);
        }
      }),
    );
  });

  it('never falls with a higher level, a success, a lower price or a longer wait for a turn', () => {
    const better = fc.oneof(
      fc.tuple(fc.constantFrom(...names), part).map(([name, level]) => (one: Agent) => ({
        ...one,
        levels: new Map(one.levels).set(name, Math.max(level, one.levels.get(name) ?? 0)),
      })),
      fc.constantFrom('task\na', 'task\nb').map((key) => (one: Agent) => {
        const { succeeded, failed, durations } = one.outcomes.get(key) ?? UNKNOWN;
        // One more that went well, as against one more that did not.
        return {
          ...one,
          outcomes: new Map(one.outcomes).set(key, { succeeded: succeeded + 1, failed, durations }),
        };
      }),
      part.map((less) => (one: Agent) => ({ ...one, price: Math.max(0, one.price - less) })),
      fc.nat(100).map((less) => (one: Agent) => ({ ...one, assignedAt: Math.max(0, one.assignedAt - less) })),
    );
    fc.assert(
      fc.property(
        policies,
        needs,
        priority,
        agent,
        better,
        part,
        (policy, asked, urgency, rated, raise, load) => {
          const task = { asked, priority: urgency };
          const [before, after] = [rated, raise(rated)].map((one) => scoreFor(policy, one, task, load).total);
          expect(after).toBeGreaterThanOrEqual(before as number);
        },
      ),
    );
  });

  it('never rises with a higher load', () => {
    fc.assert(
      fc.property(
        policies,
        needs,
        priority,
        agent,
        part,
        part,
        (policy, asked, urgency, rated, load, more) => {
          const task = { asked, priority: urgency };
          const before = scoreFor(policy, rated, task, load).total;
          expect(scoreFor(policy, rated, task, load + more).total).toBeLessThanOrEqual(before);
        },
      ),
    );
  });

  it('never falls with a stronger connection or a more urgent task', () => {
    fc.assert(
      fc.property(
        policies,
        needs,
        priority,
        agent,
        part,
        part,
        (policy, asked, urgency, rated, one, other) => {
          const [weaker, stronger] = one < other ? [one, other] : [other, one];
          const low = scoreFor(policy, rated, { asked, priority: 5, connection: weaker }, 0).total;
          const high = scoreFor(policy, rated, { asked, priority: urgency, connection: stronger }, 0).total;
          expect(high).toBeGreaterThanOrEqual(low);
        },
      ),
    );
  });

  it('is recorded with the weight of each part', () => {
    const asked = { type: 'task', requiredCapabilities: [], preferredCapabilities: [] };
    const { agentId, total, parts } = scoreFor(POLICIES.weighted, idle, { asked, priority: 1 }, 0);
    expect(agentId).toBe('agent');
    expect(parts.map(({ name }) => name)).toEqual(SCORE_PARTS);
    expect(parts.reduce((sum, { value, weight }) => sum + value * weight, 0)).toBeCloseTo(total, 12);
  });
});
