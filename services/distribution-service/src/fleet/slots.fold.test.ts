import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { agentIn, fleetEntry, fleetOf, taskId } from '../../test/factories.js';
import { doubt, markSilent } from './fleet.fold.js';
import type { Fleet } from './fleet.state.js';
import { hold, knownVersion, loadOf, release, reserve, roomOf, unreserve } from './slots.fold.js';

const task = taskId();
const twoAgents = () => fleetOf(fleetEntry('a', { maxConcurrent: 1 }), fleetEntry('b'));
const slot = (agentId: string, version: number) => ({ agentId, taskId: task, version });
const holders = (fleet: Fleet) =>
  [...fleet.agents.values()].filter((agent) => agent.held.has(task)).map(({ id }) => id);

describe('held tasks', () => {
  it('take up room until they are released', () => {
    const fleet = twoAgents();
    hold(fleet, slot('a', 2));
    expect(roomOf(agentIn(fleet, 'a'))).toBe(0);
    release(fleet, slot('a', 3));
    expect(roomOf(agentIn(fleet, 'a'))).toBe(1);
    expect(fleet.freed).toBe(1);
  });

  it('do not begin after their release', () => {
    const fleet = twoAgents();
    release(fleet, slot('a', 3));
    hold(fleet, slot('a', 2));
    expect(holders(fleet)).toEqual([]);
    expect(knownVersion(fleet, task)).toBe(3);
  });

  it('move with the higher version, and an older release does not end them', () => {
    const fleet = twoAgents();
    hold(fleet, slot('a', 2));
    hold(fleet, slot('b', 4));
    release(fleet, slot('a', 3));
    expect(holders(fleet)).toEqual(['b']);
  });

  it('pass from one agent to another within one version, in whatever order that is told', () => {
    for (const order of [
      ['release', 'hold'],
      ['hold', 'release'],
    ]) {
      const fleet = twoAgents();
      hold(fleet, slot('a', 2));
      for (const step of order) {
        if (step === 'hold') hold(fleet, slot('b', 3));
        else release(fleet, slot('a', 3));
      }
      expect(holders(fleet)).toEqual(['b']);
    }
  });

  it('end up the same in whatever order the hints of a task come', () => {
    const story = [
      { ...slot('a', 2), held: true },
      { ...slot('a', 3), held: false },
      { ...slot('b', 4), held: true },
      { ...slot('b', 6), held: false },
      { ...slot('a', 7), held: true },
    ];
    const told = fc
      .nat(story.length)
      .chain((length) => fc.shuffledSubarray(story.slice(0, length), { minLength: length }));
    fc.assert(
      fc.property(told, (hints) => {
        const fleet = twoAgents();
        for (const hint of hints) {
          if (hint.held) hold(fleet, hint);
          else release(fleet, hint);
        }
        const last = story[hints.length - 1];
        expect(holders(fleet)).toEqual(last?.held === true ? [last.agentId] : []);
        expect(fleet.holds.size).toBe(last?.held === true ? 1 : 0);
      }),
    );
  });

  it('are remembered after their end only so far', () => {
    const fleet = twoAgents();
    const first = taskId();
    release(fleet, { agentId: 'a', taskId: first, version: 3 });
    for (let index = 0; index < 60_000; index += 1) {
      release(fleet, { agentId: 'a', taskId: `task-${index}`, version: 3 });
    }
    expect(fleet.released.size).toBe(50_000);
    expect(knownVersion(fleet, first)).toBe(0);
  });
});

describe('a reserved slot', () => {
  it('counts as load, and once when the hint comes before the answer', () => {
    const fleet = twoAgents();
    const agent = agentIn(fleet, 'a');
    reserve(fleet, agent, task);
    expect(loadOf(agent)).toBe(1);
    hold(fleet, slot('a', 2));
    expect(loadOf(agent)).toBe(1);
    unreserve(fleet, 'a', task);
    expect(loadOf(agent)).toBe(1);
  });

  it('is free again when the task ended before the answer to its assignment came', () => {
    const fleet = twoAgents();
    const agent = agentIn(fleet, 'a');
    reserve(fleet, agent, task);
    hold(fleet, slot('a', 2));
    release(fleet, slot('a', 4));
    hold(fleet, slot('a', 2));
    unreserve(fleet, 'a', task);
    expect(loadOf(agent)).toBe(0);
  });
});

describe('room', () => {
  it('is none where an agent is doubted, silent or not online', () => {
    const fleet = fleetOf(
      fleetEntry('doubted'),
      fleetEntry('silent'),
      fleetEntry('draining', { status: 'draining' }),
      fleetEntry('offline', { status: 'offline' }),
      fleetEntry('fine', { prefetch: 1 }),
    );
    doubt(fleet, 'doubted');
    markSilent(fleet, 'silent');
    expect([...fleet.agents.values()].map((agent) => roomOf(agent))).toEqual([0, 0, 0, 0, 6]);
  });
});
