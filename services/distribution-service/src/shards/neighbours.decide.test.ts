import { describe, expect, it } from '@jest/globals';
import { shardOf, type FleetEntry } from '@baton/contracts';
import { fleetEntry, fleetOf, leasesOf, load, queuedTask } from '../../test/factories.js';
import { POLICIES } from '../engine/policies.scoring.js';
import { createView, decideTask } from '../engine/task.decide.js';
import { chooseNeighbour, type Asked } from './neighbours.decide.js';
import { applyLeases, dropLeases } from './ownership.fold.js';

/** Agents with their owners; all can write, as well as said. */
function viewOf(agents: Readonly<Record<string, { owner: string | null; level?: number; slots?: number }>>) {
  const entries = Object.entries(agents).map(([id, { level = 1, slots = 5 }]): FleetEntry => {
    return fleetEntry(id, { capabilities: [{ name: 'write', level }], maxConcurrent: slots });
  });
  const fleet = fleetOf(...entries);
  const owners = new Map(Object.entries(agents).map(([id, { owner }]) => [shardOf(id), owner]));
  applyLeases(
    fleet,
    leasesOf((shard) => owners.get(shard) ?? null),
    0,
  );
  return createView(fleet, POLICIES.weighted);
}

const nothingAsked = (): Asked => ({ tasks: new Map(), neighbours: new Map() });
const writing = (needs = {}) =>
  queuedTask({ backlogClass: 'write', requiredCapabilities: [{ name: 'write' }], ...needs });

describe('a task without room here', () => {
  it('is offered to the owner of the best agent with room, then to that of the next best', () => {
    const view = viewOf({
      mine: { owner: 'self', level: 1 },
      good: { owner: 'one', level: 0.9 },
      better: { owner: 'two', level: 0.95 },
      best: { owner: 'three', level: 1, slots: 1 },
    });
    load(view.fleet, 'best', 1);
    const asked = nothingAsked();
    const task = writing();
    expect(chooseNeighbour(view, task, asked, 0)).toMatchObject({
      agent: { id: 'better' },
      neighbour: 'two',
    });
    expect(chooseNeighbour(view, task, asked, 0)).toMatchObject({ agent: { id: 'good' }, neighbour: 'one' });
    expect(chooseNeighbour(view, task, asked, 0)).toBeUndefined();
  });

  it('is offered for a slot that no other task was offered for', () => {
    const view = viewOf({ theirs: { owner: 'one', slots: 2 } });
    const asked = nothingAsked();
    const chosen = [writing(), writing(), writing()].map((task) => chooseNeighbour(view, task, asked, 0));
    expect(chosen.map((choice) => choice?.neighbour)).toEqual(['one', 'one', undefined]);
  });

  it('is offered to whoever owns by now what nobody was known to own', () => {
    const view = viewOf({ free: { owner: null } });
    const task = writing();
    const asked = nothingAsked();
    expect(chooseNeighbour(view, task, asked, 0)).toMatchObject({ agent: { id: 'free' } });
    expect(chooseNeighbour(view, task, asked, 0)).toBeUndefined();
  });

  it('is offered to nobody when only this process is said to own the agents with room', () => {
    const view = viewOf({ mine: { owner: 'self' } });
    expect(chooseNeighbour(view, writing(), nothingAsked(), 0)).toBeUndefined();
    dropLeases(view.fleet);
    expect(chooseNeighbour(view, writing(), nothingAsked(), 0)).toBeUndefined();
  });

  it('is not offered to an agent that failed it as long as one here could do it', () => {
    const view = viewOf({ mine: { owner: 'self', slots: 1 }, theirs: { owner: 'one' } });
    load(view.fleet, 'mine', 1);
    const task = writing({ skippedAgents: [{ agentId: 'theirs', until: '2100-01-01T00:00:00.000Z' }] });
    expect(chooseNeighbour(view, task, nothingAsked(), 0)).toBeUndefined();
  });
});

describe('an agent of another distributor', () => {
  it('is never chosen, and counted as such in the decision', () => {
    const view = viewOf({ mine: { owner: 'self', level: 0.5 }, theirs: { owner: 'one', level: 1 } });
    const placement = decideTask(view, writing(), 0);
    expect(placement).toMatchObject({
      agent: { id: 'mine' },
      decision: { considered: 1, filtered: { other_shard: 1 } },
    });
  });

  it('keeps a task from the agent here that failed it', () => {
    const view = viewOf({ mine: { owner: 'self' }, theirs: { owner: 'one', slots: 1 } });
    load(view.fleet, 'theirs', 1);
    const task = writing({ skippedAgents: [{ agentId: 'mine', until: '2100-01-01T00:00:00.000Z' }] });
    expect(decideTask(view, task, 0)).toBeUndefined();
  });
});
