import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { agentIn, fleetEntry, fleetOf, queuedTask } from '../../test/factories.js';
import { applySnapshot } from '../fleet/fleet.fold.js';
import { applyOutcomes, believedLevel, learnOutcome, outcomeKey, quickness } from './outcomes.fold.js';
import { POLICIES } from './policies.scoring.js';
import { learnPrices } from './prices.fold.js';
import { createView, decideTask } from './task.decide.js';

const write = { type: 'task', capabilities: ['write'] };
const able = (id: string, level: number) => fleetEntry(id, { capabilities: [{ name: 'write', level }] });
const writing = () => queuedTask({ backlogClass: 'write', requiredCapabilities: [{ name: 'write' }] });

describe('what is learned of outcomes', () => {
  it('is the declared level at first, worth four outcomes', () => {
    expect(believedLevel(0.5, undefined)).toBe(0.5);
    expect(believedLevel(0.5, { succeeded: 4, failed: 0 })).toBe(0.75);
  });

  it('stays within 0 and 1, and rises with success', () => {
    const runs = fc.array(fc.boolean(), { maxLength: 200 });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), runs, (declared, outcomes) => {
        const fleet = fleetOf(able('a', declared));
        const agent = agentIn(fleet, 'a');
        for (const succeeded of outcomes) {
          const before = believedLevel(declared, agent.outcomes.get(outcomeKey('task', 'write')));
          learnOutcome(fleet, agent, { ...write, succeeded });
          const after = believedLevel(declared, agent.outcomes.get(outcomeKey('task', 'write')));
          expect(after >= 0 && after <= 1).toBe(true);
          // Forgetting draws it a little towards what was declared.
          if (succeeded) expect(after).toBeGreaterThanOrEqual(before - 0.011);
          else expect(after).toBeLessThanOrEqual(before + 0.011);
        }
      }),
    );
  });

  it('forgets, so that an agent that changed is believed again', () => {
    const fleet = fleetOf(able('a', 0.5));
    const agent = agentIn(fleet, 'a');
    for (let index = 0; index < 1_000; index += 1) learnOutcome(fleet, agent, { ...write, succeeded: false });
    for (let index = 0; index < 150; index += 1) learnOutcome(fleet, agent, { ...write, succeeded: true });
    expect(believedLevel(0.5, agent.outcomes.get(outcomeKey('task', 'write')))).toBeGreaterThan(0.7);
  });

  it('decides who gets the next task, of that type only', () => {
    const fleet = fleetOf(able('boaster', 1), able('honest', 0.8));
    const view = createView(fleet, POLICIES.weighted);
    expect(decideTask(view, writing(), 0)?.agent.id).toBe('boaster');
    for (let index = 0; index < 5; index += 1) {
      learnOutcome(fleet, agentIn(fleet, 'boaster'), { ...write, succeeded: false });
    }
    expect(decideTask(view, writing(), 0)?.agent.id).toBe('honest');
    const other = { ...writing(), type: 'other' };
    const elsewhere = { ...other, needs: { ...other.needs, backlogClass: 'write other' } };
    expect(decideTask(view, elsewhere, 0)?.agent.id).toBe('boaster');
  });
});

describe('what task-service learned', () => {
  const learned = (succeeded: number, failed: number) => [
    { type: 'task', capability: 'write', succeeded, failed, durations: { count: 0, sum: 0, squares: 0 } },
  ];

  it('comes with snapshots and replaces what was known before', () => {
    const fleet = fleetOf(able('boaster', 1), able('honest', 0.8));
    const view = createView(fleet, POLICIES.weighted);
    const snapshot = (outcomes: ReturnType<typeof learned>) =>
      applySnapshot(fleet, [{ ...able('boaster', 1), held: [], outcomes }], fleet.step, 0);
    snapshot(learned(0, 6));
    expect(decideTask(view, writing(), 0)?.agent.id).toBe('honest');
    snapshot(learned(40, 0));
    expect(decideTask(view, writing(), 0)?.agent.id).toBe('boaster');
    snapshot([]);
    expect(agentIn(fleet, 'boaster').outcomes.size).toBe(0);
  });

  it('is not taken for news when it is the same', () => {
    const fleet = fleetOf(able('a', 1));
    applyOutcomes(fleet, agentIn(fleet, 'a'), learned(1, 2));
    const { step } = fleet;
    applyOutcomes(fleet, agentIn(fleet, 'a'), learned(1, 2));
    expect(fleet.step).toBe(step);
  });
});

describe('how quick an agent is', () => {
  const taking = (seconds: number, count: number) =>
    quickness({ succeeded: count, failed: 0, durations: { count, sum: count * Math.log(seconds) } });

  it('falls with how long its tasks take, from 1 to 0, the more surely the more it ended', () => {
    expect(quickness(undefined)).toBeCloseTo(1 - Math.log(61) / Math.log(86_401), 12);
    expect(taking(60, 10)).toBeCloseTo(quickness(undefined), 12);
    expect(taking(5, 50)).toBeGreaterThan(taking(5, 1));
    expect(taking(5, 1)).toBeGreaterThan(taking(10, 1));
    expect(taking(600, 50)).toBeLessThan(taking(600, 1));
    expect(taking(1e9, 1e6)).toBe(0);
  });
});

describe('prices', () => {
  it('keep the agent that can do what others cannot free for that', () => {
    const both = fleetEntry('both', {
      capabilities: [
        { name: 'write', level: 0.9 },
        { name: 'rare', level: 1 },
      ],
    });
    const view = createView(fleetOf(both, able('plain', 0.85)), POLICIES.fit);
    expect(decideTask(view, writing(), 0)?.agent.id).toBe('both');
    const rare = queuedTask({ backlogClass: 'rare', requiredCapabilities: [{ name: 'rare' }] });
    const rounds = new WeakMap();
    for (let now = 0; now < 3_000; now += 100) {
      learnPrices(view.index, rounds, rare, { work: 1, now, meanMs: 1_000 });
    }
    expect(decideTask(view, writing(), 0)?.agent.id).toBe('plain');
    learnPrices(view.index, rounds, rare, { work: 1, now: 1_000_000, meanMs: 1_000 });
    expect(decideTask(view, writing(), 0)?.agent.id).toBe('both');
  });
});
