import { describe, expect, it } from '@jest/globals';
import { SCORE_GOLDEN_TABLE, SCORE_PARTS, type Priority } from '@baton/contracts';
import fc from 'fast-check';
import { connectionScore, NO_CREATING_AGENT, scoreAgent, toScore, type ScoredAgent } from './task.scoring.js';

const part = fc.double({ min: 0, max: 1, noNaN: true });
const priority = fc.constantFrom<Priority>(1, 2, 3, 4, 5);
const names = ['a', 'b', 'c', 'd'];
const needs = fc.record({
  requiredCapabilities: fc.subarray(names).map((chosen) => chosen.map((name) => ({ name }))),
  preferredCapabilities: fc.subarray(names),
});
const agent = fc
  .record({
    levels: fc.dictionary(fc.constantFrom(...names), part).map((levels) => new Map(Object.entries(levels))),
    load: fc.nat(20),
    maxConcurrent: fc.integer({ min: 1, max: 10 }),
  })
  .map((made): ScoredAgent => made);

describe('the score', () => {
  for (const golden of SCORE_GOLDEN_TABLE) {
    it(`is as the golden table says: ${golden.name}`, () => {
      const asked = {
        requiredCapabilities: [...golden.required],
        preferredCapabilities: [...golden.preferred],
      };
      const scored = {
        levels: new Map(golden.agent.capabilities.map(({ name, level }) => [name, level])),
        load: golden.agent.held,
        maxConcurrent: golden.agent.maxConcurrent,
      };
      const connection =
        golden.connection === 'creator is no agent' ? NO_CREATING_AGENT : connectionScore(golden.connection);
      const values = scoreAgent(asked, golden.priority, scored, connection);
      for (const [name, expected] of Object.entries(golden.parts)) {
        expect(Math.abs(values[name as keyof typeof golden.parts] - expected)).toBeLessThan(1e-12);
      }
      expect(Math.abs(values.total - golden.total)).toBeLessThan(1e-12);
    });
  }

  it('stays within 0 and 1, each part and the total', () => {
    fc.assert(
      fc.property(needs, priority, agent, part, (asked, urgency, scored, connection) => {
        for (const value of Object.values(scoreAgent(asked, urgency, scored, connection))) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1 + 1e-12);
        }
      }),
    );
  });

  it('never falls with a higher level', () => {
    const raised = fc.tuple(fc.constantFrom(...names), part);
    fc.assert(
      fc.property(
        needs,
        priority,
        agent,
        part,
        raised,
        (asked, urgency, scored, connection, [name, rise]) => {
          const level = Math.min(1, (scored.levels.get(name) ?? 0) + rise);
          const better = { ...scored, levels: new Map(scored.levels).set(name, level) };
          const before = scoreAgent(asked, urgency, scored, connection).total;
          expect(scoreAgent(asked, urgency, better, connection).total).toBeGreaterThanOrEqual(before - 1e-12);
        },
      ),
    );
  });

  it('never rises with a higher load', () => {
    fc.assert(
      fc.property(needs, priority, agent, part, fc.nat(5), (asked, urgency, scored, connection, more) => {
        const busier = { ...scored, load: scored.load + more };
        const before = scoreAgent(asked, urgency, scored, connection).total;
        expect(scoreAgent(asked, urgency, busier, connection).total).toBeLessThanOrEqual(before);
      }),
    );
  });

  it('never falls with a stronger connection or a more urgent task', () => {
    fc.assert(
      fc.property(needs, priority, agent, part, part, (asked, urgency, scored, one, other) => {
        const [weaker, stronger] = one < other ? [one, other] : [other, one];
        const low = scoreAgent(asked, 5, scored, weaker).total;
        expect(scoreAgent(asked, urgency, scored, stronger).total).toBeGreaterThanOrEqual(low);
      }),
    );
  });

  it('is recorded with the weight of each part', () => {
    const idle = { levels: new Map(), load: 0, maxConcurrent: 1 };
    const values = scoreAgent({ requiredCapabilities: [], preferredCapabilities: [] }, 1, idle, 0.5);
    const { agentId, total, parts } = toScore('a', values);
    expect(agentId).toBe('a');
    expect(parts.map(({ name }) => name)).toEqual(SCORE_PARTS);
    expect(parts.reduce((sum, { value, weight }) => sum + value * weight, 0)).toBeCloseTo(total, 12);
  });
});
