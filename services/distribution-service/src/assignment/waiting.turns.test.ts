import { describe, expect, it } from '@jest/globals';
import { shardOf, type QueuedTask } from '@baton/contracts';
import { fleetEntry, fleetOf, leasesOf, load, queuedTask } from '../../test/factories.js';
import { POLICIES } from '../engine/policies.scoring.js';
import { createFleetIndex } from '../engine/signatures.fold.js';
import { applyLeases } from '../shards/ownership.fold.js';
import { addWaiting, discover, planReading, takePages, tryAhead } from './waiting.fold.js';
import type { WaitingClasses } from './waiting.state.js';

/** One of two distributors that own an agent each and read the same tasks. */
function distributorOf(self: 'a' | 'b', tasks: readonly QueuedTask[], slots = 1_000) {
  const fleet = fleetOf(...['a', 'b'].map((id) => fleetEntry(id, { maxConcurrent: slots })));
  Object.assign(fleet.shards, { self });
  applyLeases(
    fleet,
    leasesOf((shard) => (shard === shardOf('a') ? 'a' : 'b')),
    0,
  );
  const waiting: WaitingClasses = new Map();
  const index = createFleetIndex(fleet, POLICIES.weighted);
  return {
    fleet,
    waiting,
    /** Reads everything once, as if it had just come to know of the class. */
    read() {
      discover(waiting, tasks[0] ?? queuedTask(), fleet, 0);
      const asked = planReading(waiting, index, 0);
      takePages(waiting, asked, [{ backlogClass: 'any', tasks: [...tasks], more: false }]);
    },
    attempted(turn: number): readonly QueuedTask[] {
      const attempted: QueuedTask[] = [];
      tryAhead(waiting, index, turn, (task) => {
        attempted.push(task);
        return 'placed';
      });
      return attempted;
    },
  };
}

const tasks = Array.from({ length: 100 }, (_, index) => queuedTask({ queueKey: index }));

describe('two distributors that read the same backlog', () => {
  it('try different tasks, each in their order, and together all', () => {
    const [a, b] = [distributorOf('a', tasks), distributorOf('b', tasks)];
    for (const one of [a, b]) one.read();
    const [byA, byB] = [a.attempted(7), b.attempted(7)];
    expect([...byA, ...byB].toSorted((one, other) => one.needs.queueKey - other.needs.queueKey)).toEqual(
      tasks,
    );
    for (const one of [byA, byB]) {
      expect(one.length).toBeGreaterThan(20);
      expect(one).toEqual(tasks.filter((task) => one.includes(task)));
    }
  });

  it('take what the other one left lying in the next turn', () => {
    const a = distributorOf('a', tasks);
    a.read();
    const first = a.attempted(7);
    expect(a.attempted(7)).toEqual([]);
    expect(a.waiting.size).toBe(1);
    expect(a.attempted(8)).toEqual(tasks.filter((task) => !first.includes(task)));
    expect(a.waiting.size).toBe(0);
  });

  it('take everything while the other one has no room', () => {
    const a = distributorOf('a', tasks, 200);
    load(a.fleet, 'b', 200);
    a.read();
    expect(a.attempted(7)).toEqual(tasks);
  });

  it('take what the other one had room for as soon as it has none', () => {
    const a = distributorOf('a', tasks, 200);
    a.read();
    const first = a.attempted(7);
    load(a.fleet, 'b', 200);
    expect(a.attempted(7)).toEqual(tasks.filter((task) => !first.includes(task)));
  });

  it('do not look again at what they left when nothing changed about whose it is', () => {
    const a = distributorOf('a', tasks);
    a.read();
    a.attempted(7);
    let looks = 0;
    const { distributors } = a.fleet.shards;
    Object.defineProperty(a.fleet.shards, 'distributors', { get: () => ((looks += 1), distributors) });
    expect(a.attempted(7)).toEqual([]);
    expect(looks).toBe(0);
    a.attempted(8);
    expect(looks).toBeGreaterThan(0);
  });

  it('leave nothing to the other one that it has not heard of', () => {
    const a = distributorOf('a', tasks);
    for (const task of tasks) addWaiting(a.waiting, task, a.fleet, 0);
    expect(a.attempted(7)).toEqual(tasks);
  });
});
