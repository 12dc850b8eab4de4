import { describe, expect, it } from '@jest/globals';
import type { BacklogAnswer, BacklogRequest, QueuedTask } from '@baton/contracts';
import fc from 'fast-check';
import { agentIn, fleetEntry, fleetOf, load, queuedTask, unload } from '../../test/factories.js';
import { POLICIES } from '../engine/policies.scoring.js';
import { createFleetIndex } from '../engine/signatures.fold.js';
import { createView, decideTask, freeSlots } from '../engine/task.decide.js';
import { applyHint } from '../fleet/fleet.fold.js';
import type { Fleet } from '../fleet/fleet.state.js';
import { release, reserve } from '../fleet/slots.fold.js';
import { compareTasks } from './task.order.js';
import { addWaiting, discover, isTakingTurns, planReading, takePages, tryAhead } from './waiting.fold.js';
import type { WaitingClasses } from './waiting.state.js';

/** The backlog as the database has it, and a distribution that reads it until it has nothing more to ask. */
function backlogOf(fleet: Fleet, queued: readonly QueuedTask[]) {
  const backlog = new Set(queued);
  const waiting: WaitingClasses = new Map();
  const view = createView(fleet, POLICIES.weighted);
  const placed: QueuedTask[] = [];
  let requests = 0;

  function answer(asked: NonNullable<BacklogRequest['classes']>): BacklogAnswer['classes'] {
    return asked.map(({ backlogClass, after, limit }) => {
      const rest = [...backlog]
        .toSorted(compareTasks)
        .filter(
          ({ id, needs }) =>
            needs.backlogClass === backlogClass &&
            (after === undefined ||
              needs.queueKey > after.queueKey ||
              (needs.queueKey === after.queueKey && id > after.id)),
        );
      return { backlogClass, tasks: rest.slice(0, limit), more: rest.length > limit };
    });
  }

  function attempt(task: QueuedTask) {
    const placement = decideTask(view, task, 0);
    if (placement === undefined) {
      const room = freeSlots(view, task);
      return room === 0 ? 'no_room' : 'passed_over';
    }
    reserve(fleet, placement.agent, task.id);
    backlog.delete(task);
    placed.push(task);
    return 'placed';
  }

  function read(now: number): void {
    for (let readOn = true; readOn;) {
      const asked = planReading(waiting, view.index, now);
      if (asked.length > 0) takePages(waiting, asked, answer(asked));
      requests += Math.min(1, asked.length);
      if (requests > 10_000) throw new Error('the reading does not come to an end');
      const isShort = tryAhead(waiting, view.index, 0, attempt);
      readOn = isShort || asked.length > 0;
    }
  }

  for (const task of queued) discover(waiting, task, fleet, 0);
  return { waiting, placed, backlog, read, requests: () => requests };
}

const tasksOf = (count: number, needs: Partial<QueuedTask['needs']> = {}) =>
  Array.from({ length: count }, (_, index) => queuedTask({ queueKey: index, ...needs }));
const capable = (name: string) => ({ capabilities: [{ name, level: 1 }] });
const asks = (name: string) => ({ backlogClass: name, requiredCapabilities: [{ name }] });

describe('reading the backlog', () => {
  it('places as many tasks as there are slots, the best first, and stays where it stopped', () => {
    const fleet = fleetOf(fleetEntry('a', { maxConcurrent: 3 }));
    const tasks = tasksOf(5);
    const { read, placed, waiting } = backlogOf(fleet, tasks);
    read(0);
    expect(placed).toEqual(tasks.slice(0, 3));
    expect(isTakingTurns(waiting, 'any')).toBe(true);
    unload(fleet, 'a');
    read(0);
    expect(placed).toEqual(tasks);
    expect(waiting.size).toBe(0);
  });

  it('asks nothing while no capable agent has room', () => {
    const fleet = fleetOf(fleetEntry('a', { maxConcurrent: 1 }), fleetEntry('b', capable('read')));
    load(fleet, 'a', 1);
    const { read, requests } = backlogOf(fleet, tasksOf(2, asks('write')));
    read(0);
    expect(requests()).toBe(0);
  });

  it('takes the tasks of several classes in one order', () => {
    const fleet = fleetOf(fleetEntry('a', { maxConcurrent: 4 }));
    const tasks = Array.from({ length: 6 }, (_, index) =>
      queuedTask({ backlogClass: index % 3 === 0 ? 'x' : 'y', queueKey: index }),
    );
    const { read, placed } = backlogOf(fleet, tasks);
    read(0);
    expect(placed).toEqual(tasks.slice(0, 4));
  });

  it('passes over what nobody with room may do, and comes back when a slot is freed', () => {
    const fleet = fleetOf(fleetEntry('a'), fleetEntry('b', { maxConcurrent: 1 }));
    load(fleet, 'b', 1);
    const [busy] = agentIn(fleet, 'b').held;
    const stuck = tasksOf(60, { criteria: { excludedAgents: ['a'] } });
    const free = queuedTask({ queueKey: 1_000 });
    const { read, placed, waiting, requests } = backlogOf(fleet, [...stuck, free]);
    read(0);
    expect(placed).toEqual([free]);
    expect(isTakingTurns(waiting, 'any')).toBe(false);
    const before = requests();
    read(100);
    expect(requests()).toBe(before);
    release(fleet, { agentId: 'b', taskId: busy ?? '', version: 3 });
    read(100);
    expect(placed).toEqual([free, stuck[0]]);
  });

  it('starts over every five seconds and when an agent changes', () => {
    const fleet = fleetOf(fleetEntry('a'));
    const { read, requests } = backlogOf(fleet, tasksOf(1, { criteria: { excludedAgents: ['a'] } }));
    read(0);
    read(4_999);
    expect(requests()).toBe(1);
    read(5_000);
    expect(requests()).toBe(2);
    applyHint(fleet, fleetEntry('b', capable('read')), 5_001);
    read(5_001);
    expect(requests()).toBe(3);
  });

  it('reads ahead, so that freed slots need no further reading', () => {
    const fleet = fleetOf(fleetEntry('a', { maxConcurrent: 1 }));
    const tasks = tasksOf(40);
    const { read, placed, waiting, requests } = backlogOf(fleet, tasks);
    for (let slot = 0; slot < 40; slot += 1) {
      unload(fleet, 'a');
      read(0);
    }
    expect(placed).toEqual(tasks);
    expect(requests()).toBe(1);
    expect(waiting.size).toBe(0);
  });

  it('tries a task that comes in its turn, before those read ahead that are worse', () => {
    const fleet = fleetOf(fleetEntry('a', { maxConcurrent: 2 }));
    const { read, placed, waiting, backlog, requests } = backlogOf(fleet, tasksOf(4));
    read(0);
    const urgent = queuedTask({ queueKey: 0.5 });
    backlog.add(urgent);
    addWaiting(waiting, urgent, fleet, 1);
    addWaiting(waiting, urgent, fleet, 1);
    unload(fleet, 'a');
    read(1);
    expect(placed[2]).toBe(urgent);
    expect(requests()).toBe(1);
  });

  it('does not miss a task that came while its class was read to the end', () => {
    const fleet = fleetOf(fleetEntry('a'));
    const index = createFleetIndex(fleet, POLICIES.weighted);
    const waiting: WaitingClasses = new Map();
    discover(waiting, queuedTask(), fleet, 0);
    const asked = planReading(waiting, index, 0);
    const late = queuedTask();
    addWaiting(waiting, late, fleet, 0);
    takePages(waiting, asked, [{ backlogClass: 'any', tasks: [], more: false }]);
    const tried: QueuedTask[] = [];
    tryAhead(waiting, index, 0, (task) => {
      tried.push(task);
      return 'placed';
    });
    expect(tried).toEqual([late]);
    expect(waiting.size).toBe(0);
  });

  it('keeps what came without reading, in order, and reads what grows too long', () => {
    const fleet = fleetOf(fleetEntry('a', { maxConcurrent: 1 }));
    const { read, placed, waiting, backlog, requests } = backlogOf(fleet, []);
    const tasks = tasksOf(700);
    for (const task of tasks.toReversed()) {
      backlog.add(task);
      addWaiting(waiting, task, fleet, 0);
    }
    for (let slot = 0; slot < 500; slot += 1) {
      unload(fleet, 'a');
      read(0);
    }
    expect(placed).toEqual(tasks.slice(0, 500));
    expect(requests()).toBe(0);
    for (let slot = 0; slot < 200; slot += 1) {
      unload(fleet, 'a');
      read(0);
    }
    expect(placed).toEqual(tasks);
    expect(requests()).toBeLessThan(6);
  });

  it('starts over for a class whose best task is news', () => {
    const fleet = fleetOf(fleetEntry('a', { maxConcurrent: 1 }));
    load(fleet, 'a', 1);
    const { waiting, requests, read, backlog } = backlogOf(fleet, []);
    const [lost, known] = [queuedTask({ queueKey: 1 }), queuedTask({ queueKey: 2 })];
    for (const task of [lost, known]) backlog.add(task);
    addWaiting(waiting, known, fleet, 0);
    discover(waiting, known, fleet, 0);
    unload(fleet, 'a');
    reserve(fleet, agentIn(fleet, 'a'), 'another');
    discover(waiting, lost, fleet, 0);
    unload(fleet, 'a');
    read(0);
    expect(requests()).toBe(1);
    expect(backlog).toEqual(new Set([known]));
  });

  it('ends, whatever the backlog looks like, and leaves no slot free that a task could have', () => {
    const kind = fc.record({
      name: fc.constantFrom('write', 'read', 'count'),
      excluded: fc.subarray(['a', 'b', 'c']),
      queueKey: fc.nat(20),
    });
    fc.assert(
      fc.property(
        fc.array(kind, { maxLength: 40 }),
        fc.array(fc.nat(8), { minLength: 3 }),
        (kinds, slots) => {
          const skills = [capable('write'), capable('read'), { capabilities: [] }];
          const fleet = fleetOf(
            ...['a', 'b', 'c'].map((id, index) =>
              fleetEntry(id, { ...skills[index], maxConcurrent: (slots[index] ?? 0) + 1 }),
            ),
          );
          const tasks = kinds.map(({ name, excluded, queueKey }) =>
            queuedTask({ ...asks(name), queueKey, criteria: { excludedAgents: excluded } }),
          );
          const { read, backlog } = backlogOf(fleet, tasks);
          read(0);
          const view = createView(fleet, POLICIES.weighted);
          expect([...backlog].filter((task) => decideTask(view, task, 0) !== undefined)).toEqual([]);
        },
      ),
    );
  });

  it('asks for all classes in turn where more wait than fit into a request', () => {
    const fleet = fleetOf(fleetEntry('a'));
    const waiting: WaitingClasses = new Map();
    for (let index = 0; index < 500; index += 1) {
      discover(waiting, queuedTask({ backlogClass: `class-${index}` }), fleet, 0);
    }
    const asked = new Set<string>();
    for (let request = 0; request < 3; request += 1) {
      const plan = planReading(waiting, createFleetIndex(fleet, POLICIES.weighted), 0);
      expect(plan.length).toBeLessThanOrEqual(200);
      expect(plan.reduce((sum, { limit }) => sum + limit, 0)).toBeLessThanOrEqual(500);
      for (const { backlogClass } of plan) asked.add(backlogClass);
    }
    expect(asked.size).toBe(500);
  });

  it('keeps a bounded number of classes in mind', () => {
    const fleet = fleetOf(fleetEntry('a'));
    const waiting: WaitingClasses = new Map();
    for (let index = 0; index < 10_100; index += 1) {
      discover(waiting, queuedTask({ backlogClass: `class-${index}` }), fleet, 0);
    }
    expect(waiting.size).toBe(10_000);
    expect(waiting.has('class-0')).toBe(false);
  });
});
