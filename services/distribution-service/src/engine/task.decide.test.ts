import { describe, expect, it } from '@jest/globals';
import { decision as decisionSchema, type Criteria, type Priority } from '@baton/contracts';
import fc from 'fast-check';
import { agentIn, fleetEntry, fleetOf, leasesOf, load, queuedTask } from '../../test/factories.js';
import { naiveScan } from '../../test/naive.js';
import { isCapable } from '../assignment/candidates.filter.js';
import { applyExpiry, applyHint, doubt, markHeard, markSilent, removeMissing } from '../fleet/fleet.fold.js';
import type { Fleet } from '../fleet/fleet.state.js';
import { touchRating } from '../fleet/journal.fold.js';
import { hold, release, reserve, unreserve } from '../fleet/slots.fold.js';
import { applyLeases } from '../shards/ownership.fold.js';
import { applyOutcomes, learnOutcome } from './outcomes.fold.js';
import { POLICIES } from './policies.scoring.js';
import { createView, decideTask, type FleetView } from './task.decide.js';

const now = Date.parse('2026-01-01T00:00:00.000Z');
const viewOf = (fleet: Fleet) => createView(fleet, POLICIES.weighted);
const skills = ['write', 'read', 'count'];
// Few of them, so that many agents are equally good, and any.
const level = fc.oneof(
  fc.integer({ min: 0, max: 4 }).map((quarter) => quarter / 4),
  fc.double({ min: 0, max: 1, noNaN: true }),
);
const agentId = fc.nat(11).map((index) => `agent-${index}`);
const labels = fc.dictionary(fc.constantFrom('region', 'tier'), fc.constantFrom('a', 'b'));
const randomEntry = fc
  .record({
    agentId,
    status: fc.constantFrom('online' as const, 'online' as const, 'online' as const, 'draining' as const),
    capabilities: fc
      .subarray(skills)
      .chain((names) => fc.tuple(...names.map((name) => level.map((value) => ({ name, level: value }))))),
    maxConcurrent: fc.integer({ min: 1, max: 3 }),
    prefetch: fc.constantFrom(0, 0, 1),
    labels,
    connections: fc.array(fc.record({ to: agentId, strength: level }), { maxLength: 3 }),
  })
  .map((entry) => fleetEntry(entry.agentId, entry));
const randomTask = fc
  .record({
    requiredCapabilities: fc
      .array(fc.record({ name: fc.constantFrom(...skills), minLevel: fc.constantFrom(0, 0.25, 0.6) }), {
        maxLength: 2,
      })
      .map((required) =>
        required.filter(({ name }, at) => required.findIndex((one) => one.name === name) === at),
      ),
    preferredCapabilities: fc.subarray(skills, { maxLength: 1 }),
    skippedAgents: fc
      .uniqueArray(agentId, { maxLength: 3 })
      .map((ids) => ids.map((id) => ({ agentId: id, until: '2026-01-01T00:01:00.000Z' }))),
    criteria: fc.record<Criteria, never>(
      {
        requiredAgents: fc.constant(['agent-1', 'agent-3', 'nobody']),
        excludedAgents: fc.constant(['agent-2', 'agent-4']),
        preferredAgents: fc.uniqueArray(agentId, { maxLength: 3 }),
        requiredLabels: labels,
        preferredLabels: labels,
        // Some are reached by nobody, some by all, and some are what an agent has to the last digit.
        minScore: fc.constantFrom(0, 0.5, 0.87, 0.95, 1),
      },
      { requiredKeys: [] },
    ),
    connectedFrom: fc.option(agentId),
    priority: fc.constantFrom<Priority>(1, 3, 5),
  })
  .map(({ priority, ...needs }) => {
    const { requiredCapabilities, criteria } = needs;
    const backlogClass = JSON.stringify([
      requiredCapabilities,
      criteria.requiredAgents,
      criteria.requiredLabels,
    ]);
    return queuedTask({ ...needs, backlogClass }, { priority });
  });
type Change = (fleet: Fleet) => void;
const slot = fc.record({
  agentId,
  taskId: fc.nat(30).map((id) => `task-${id}`),
  version: fc.integer({ min: 2, max: 9 }),
});
const withAgent = (id: string, change: (agent: ReturnType<typeof agentIn>, fleet: Fleet) => void): Change => {
  return (fleet) => {
    const agent = fleet.agents.get(id);
    if (agent !== undefined) change(agent, fleet);
  };
};
const randomChange = fc.oneof<fc.Arbitrary<Change>[]>(
  slot.map((one) => (fleet) => hold(fleet, one)),
  slot.map((one) => (fleet) => release(fleet, one)),
  slot.map((one) => withAgent(one.agentId, (agent, fleet) => reserve(fleet, agent, one.taskId))),
  slot.map((one) => (fleet) => unreserve(fleet, one.agentId, one.taskId)),
  randomEntry.map((entry) => (fleet) => applyHint(fleet, { ...entry, epoch: 2 }, 0)),
  agentId.map((id) => (fleet) => markSilent(fleet, id)),
  agentId.map((id) => withAgent(id, (agent, fleet) => markHeard(fleet, agent))),
  agentId.map((id) => (fleet) => applyExpiry(fleet, id, 2)),
  agentId.map((id) => (fleet) => doubt(fleet, id)),
  agentId.map((id) => (fleet) => {
    removeMissing(fleet, new Set([...fleet.agents.keys()].filter((other) => other !== id)), fleet.step);
  }),
  fc.integer({ min: 1, max: 64 }).map((mine) => (fleet) => {
    applyLeases(
      fleet,
      leasesOf((shard) => (shard < mine ? 'self' : 'other')),
      0,
    );
  }),
  fc.tuple(agentId, fc.boolean(), fc.constantFrom(...skills)).map(([id, succeeded, capability]) =>
    withAgent(id, (agent, fleet) => {
      learnOutcome(fleet, agent, { type: 'task', capabilities: [capability], succeeded });
    }),
  ),
  fc
    .tuple(agentId, fc.constantFrom('', ...skills), fc.nat(20), fc.nat(90))
    .map(([id, capability, count, sum]) =>
      withAgent(id, (agent, fleet) => {
        const durations = { count, sum, squares: 0 };
        applyOutcomes(fleet, agent, [{ type: 'task', capability, succeeded: count, failed: 1, durations }]);
      }),
    ),
  fc.tuple(agentId, level).map(([id, price]) =>
    withAgent(id, (agent, fleet) => {
      agent.price = price;
      touchRating(fleet, agent);
    }),
  ),
);
const entries = fc.uniqueArray(randomEntry, { maxLength: 12, selector: (entry) => entry.agentId });
const policies = fc.constantFrom(...Object.values(POLICIES));

/** Asked by a view that has seen the whole sequence, by one that starts now, and by a look at everybody. */
function expectSame(view: FleetView, task: ReturnType<typeof queuedTask>): void {
  const { fleet, index } = view;
  const scanned = naiveScan(view, task, now);
  const placement = decideTask(view, task, now);
  expect(placement?.agent.id).toBe(scanned[0]?.agent.id);
  expect(decideTask(createView(fleet, index.policy), task, now)).toEqual(placement);
  if (placement === undefined) return;
  const { chosen, runnersUp, considered, filtered } = placement.decision;
  expect([chosen, ...runnersUp]).toEqual(scanned.slice(0, 4).map((one) => one.score));
  expect(considered).toBe(scanned.length);
  const left = Object.values(filtered).reduce((sum, count) => sum + count, 0);
  expect(considered + left).toBe(fleet.agents.size);
  expect(isCapable(placement.agent, task.needs.requiredCapabilities)).toBe(true);
  const { requiredLabels, minScore = 0 } = task.needs.criteria;
  expect(placement.agent.labels).toMatchObject(requiredLabels ?? {});
  expect(chosen.total).toBeGreaterThan(minScore - 1e-6);
}

describe('the decision', () => {
  it('is what a scan of all agents finds, whatever the fleet, the task, the policy and what happened before', () => {
    const steps = fc.array(fc.oneof(randomChange, randomTask), { maxLength: 60 });
    fc.assert(
      fc.property(policies, entries, steps, (policy, agents, sequence) => {
        const view = createView(fleetOf(...agents), policy);
        for (const step of sequence) {
          if (typeof step === 'function') step(view.fleet);
          else expectSame(view, step);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is the same for the same history', () => {
    const tasks = fc.array(randomTask, { maxLength: 20 });
    const choices = (
      agents: readonly ReturnType<typeof fleetEntry>[],
      asked: readonly ReturnType<typeof queuedTask>[],
    ) => {
      const view = viewOf(fleetOf(...agents));
      return asked.map((task) => {
        const placement = decideTask(view, task, now);
        if (placement !== undefined) reserve(view.fleet, placement.agent, task.id);
        return placement?.decision;
      });
    };
    fc.assert(
      fc.property(entries, tasks, (agents, asked) =>
        expect(choices(agents, asked)).toEqual(choices(agents, asked)),
      ),
    );
  });

  it('finds an agent that was silent when its class was first asked for, once it is heard', () => {
    const fleet = fleetOf(fleetEntry('a'));
    const view = viewOf(fleet);
    markSilent(fleet, 'a');
    expect(decideTask(view, queuedTask(), now)).toBeUndefined();
    markHeard(fleet, agentIn(fleet, 'a'));
    expect(decideTask(view, queuedTask(), now)?.agent.id).toBe('a');
  });

  it('prefers the higher score, then lower utilization, then longest unassigned', () => {
    const fleet = fleetOf(
      fleetEntry('best', { capabilities: [{ name: 'write', level: 1 }] }),
      fleetEntry('half', { maxConcurrent: 2 }),
      fleetEntry('latest'),
      fleetEntry('earlier'),
      fleetEntry('a'),
      fleetEntry('b'),
    );
    load(fleet, 'half', 1);
    for (const id of ['earlier', 'latest']) {
      reserve(fleet, agentIn(fleet, id), id);
      unreserve(fleet, id, id);
    }
    const view = viewOf(fleet);
    const order: (string | undefined)[] = [];
    for (let index = 0; index < 6; index += 1) {
      const agent = decideTask(view, queuedTask({ preferredCapabilities: ['write'] }), now)?.agent;
      order.push(agent?.id);
      if (agent !== undefined) markSilent(fleet, agent.id);
    }
    expect(order).toEqual(['best', 'a', 'b', 'earlier', 'latest', 'half']);
  });

  it('records what the contract asks for', () => {
    const fleet = fleetOf(...['a', 'b', 'c', 'd', 'e'].map((id) => fleetEntry(id)));
    load(fleet, 'a', 1);
    const decision = decideTask(viewOf(fleet), queuedTask(), now)?.decision;
    expect(decisionSchema.parse({ ...decision, tookMicros: 1 })).toMatchObject({
      policy: 'weighted',
      policyVersion: 1,
      considered: 5,
      chosen: { agentId: 'b' },
      runnersUp: [{ agentId: 'c' }, { agentId: 'd' }, { agentId: 'e' }],
    });
  });

  it('spreads equal tasks over equal agents', () => {
    const fleet = fleetOf(...['a', 'b', 'c'].map((id) => fleetEntry(id, { maxConcurrent: 2 })));
    const view = viewOf(fleet);
    const chosen: (string | undefined)[] = [];
    for (let index = 0; index < 7; index += 1) {
      const task = queuedTask();
      const placement = decideTask(view, task, now);
      chosen.push(placement?.agent.id);
      if (placement !== undefined) reserve(fleet, placement.agent, task.id);
    }
    expect(chosen).toEqual(['a', 'b', 'c', 'a', 'b', 'c', undefined]);
  });

  it('keeps to an agent the task prefers until that is full, but never for a capability it lacks', () => {
    const fleet = fleetOf(fleetEntry('a'), fleetEntry('b', { maxConcurrent: 2 }));
    const view = viewOf(fleet);
    const preferring = (needs = {}) => queuedTask({ ...needs, criteria: { preferredAgents: ['b'] } });
    load(fleet, 'b', 1);
    expect(decideTask(view, preferring(), now)?.agent.id).toBe('b');
    load(fleet, 'b', 1);
    expect(decideTask(view, preferring(), now)?.agent.id).toBe('a');
    const write = { backlogClass: 'write', requiredCapabilities: [{ name: 'write' }] };
    expect(decideTask(view, preferring(write), now)).toBeUndefined();
  });

  it('goes by the labels each task prefers, also among tasks that any of the same agents can do', () => {
    const view = viewOf(
      fleetOf(fleetEntry('a', { labels: { region: 'eu' } }), fleetEntry('b', { labels: { region: 'us' } })),
    );
    const chosen = (region: string) =>
      decideTask(view, queuedTask({ criteria: { preferredLabels: { region } } }), now)?.agent.id;
    expect([chosen('us'), chosen('eu'), chosen('us')]).toEqual(['b', 'a', 'b']);
  });

  it('gives a pinned task to that agent alone, if it can do it, whatever waits with it', () => {
    const write = [{ name: 'write', level: 1 }];
    const view = viewOf(
      fleetOf(fleetEntry('a', { maxConcurrent: 2 }), fleetEntry('b', { capabilities: write })),
    );
    const pinned = { backlogClass: 'pin:a', pinnedTo: 'a' };
    expect(decideTask(view, queuedTask(pinned), now)?.agent.id).toBe('a');
    const beyond = queuedTask({ ...pinned, requiredCapabilities: [{ name: 'write' }] });
    expect(decideTask(view, beyond, now)).toBeUndefined();
    load(view.fleet, 'a', 2);
    expect(decideTask(view, queuedTask(pinned), now)).toBeUndefined();
  });
});
