import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { leasesOf } from '../../test/factories.js';
import { createFleet } from '../fleet/fleet.state.js';
import { applyLeases } from './ownership.fold.js';
import { isOurTurn } from './turns.decide.js';

const NAMES = ['a', 'b', 'c', 'd'];

/** The fleet as each distributor sees it. */
function distributors(count: number) {
  const names = NAMES.slice(0, count);
  return names.map((self) => {
    const fleet = createFleet(self);
    applyLeases(
      fleet,
      leasesOf((shard) => names[shard % count] ?? null),
      0,
    );
    return { self, fleet };
  });
}

/** Which of them take a task, each knowing which of the others have room. */
function takers(count: number, withRoom: readonly string[], taskId: string, turn: number): readonly string[] {
  return distributors(count)
    .filter(({ self, fleet }) => {
      const others = new Set(withRoom.filter((name) => name !== self));
      return withRoom.includes(self) && isOurTurn(fleet, others, taskId, turn);
    })
    .map(({ self }) => self);
}

describe('a task read from the backlog', () => {
  const some = fc.record({
    count: fc.integer({ min: 1, max: 4 }),
    turn: fc.nat(1_000_000_000),
    taskId: fc.uuid(),
    without: fc.subarray(NAMES, { maxLength: 3 }),
  });

  it('is taken by exactly one of the distributors that have room for it', () => {
    fc.assert(
      fc.property(some, ({ count, turn, taskId, without }) => {
        const withRoom = NAMES.slice(0, count).filter((name) => !without.includes(name));
        fc.pre(withRoom.length > 0);
        expect(takers(count, withRoom, taskId, turn)).toHaveLength(1);
      }),
    );
  });

  it('comes round to each of them, so that nobody can keep it from the others', () => {
    fc.assert(
      fc.property(some, ({ count, turn, taskId }) => {
        const names = NAMES.slice(0, count);
        const turns = names.map((_, later) => takers(count, names, taskId, turn + later)[0]);
        expect(new Set(turns)).toEqual(new Set(names));
      }),
    );
  });

  it('is theirs in equal parts', () => {
    const tasks = Array.from({ length: 3_000 }, () => randomUUID());
    const counts = new Map<string, number>();
    const views = distributors(3);
    for (const taskId of tasks) {
      for (const { self, fleet } of views) {
        const others = new Set(NAMES.slice(0, 3).filter((name) => name !== self));
        if (isOurTurn(fleet, others, taskId, 0)) counts.set(self, (counts.get(self) ?? 0) + 1);
      }
    }
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});
