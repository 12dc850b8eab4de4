import { describe, expect, it } from '@jest/globals';
import { explainAnswer } from '@baton/contracts';
import { fleetEntry, fleetOf, load, queuedTask } from '../../test/factories.js';
import { dropLeases } from '../shards/ownership.fold.js';
import { POLICIES } from '../engine/policies.scoring.js';
import { createView } from '../engine/task.decide.js';
import type { Fleet } from '../fleet/fleet.state.js';
import { chooseForTask, explainWaiting } from './choice.decide.js';

const write = [{ name: 'write', level: 0.6 }];
const needsWrite = queuedTask({ requiredCapabilities: [{ name: 'write', minLevel: 0.5 }] });
const viewOf = (fleet: Fleet) => createView(fleet, POLICIES.weighted);
const explain = (fleet: Fleet, task = needsWrite) =>
  explainAnswer.parse(explainWaiting(viewOf(fleet), task, 0));

describe('why a task waits', () => {
  it('names the capability no agent has', () => {
    const answer = explain(fleetOf(fleetEntry('a', { capabilities: [{ name: 'write', level: 0.4 }] })));
    expect(answer.reason).toBe('NO_CAPABLE_AGENT');
    expect(answer.evidence).toMatchObject({
      agents: 1,
      capabilities: [{ name: 'write', minLevel: 0.5, agents: 0, online: 0, below: 1, bestLevel: 0.4 }],
      filtered: { capability: 1 },
    });
    expect(answer.nextStep).toContain('"write" at level 0.5 or more');
  });

  it('names the agents that could do it but are away', () => {
    const answer = explain(
      fleetOf(fleetEntry('a', { capabilities: write, status: 'offline' }), fleetEntry('b')),
    );
    expect(answer.reason).toBe('NO_CAPABLE_AGENT');
    expect(answer.evidence).toMatchObject({ capabilities: [{ agents: 1, online: 0 }] });
    expect(answer.nextStep).toContain('a (offline)');
  });

  it('says when the criteria are in the way', () => {
    const task = queuedTask({ criteria: { requiredAgents: ['nobody'] } });
    const answer = explain(fleetOf(fleetEntry('a')), task);
    expect(answer.reason).toBe('NO_CAPABLE_AGENT');
    expect(answer.nextStep).toContain('criteria');
  });

  it('says when no single agent has everything', () => {
    const task = queuedTask({ requiredCapabilities: [{ name: 'write' }, { name: 'read' }] });
    const fleet = fleetOf(
      fleetEntry('a', { capabilities: write }),
      fleetEntry('b', { capabilities: [{ name: 'read', level: 1 }] }),
    );
    expect(explain(fleet, task).nextStep).toContain('never in one agent');
  });

  it('names the labels no agent has', () => {
    const task = queuedTask({ criteria: { requiredLabels: { region: 'eu' } } });
    const answer = explain(fleetOf(fleetEntry('a', { labels: { region: 'us' } })), task);
    expect(answer).toMatchObject({ reason: 'NO_CAPABLE_AGENT', evidence: { filtered: { criteria: 1 } } });
    expect(answer.nextStep).toContain('region: eu');
  });

  it('tells the best score where none is good enough', () => {
    const fleet = fleetOf(fleetEntry('a', { capabilities: write }), fleetEntry('b'));
    const task = queuedTask({ ...needsWrite.needs, criteria: { minScore: 0.9 } });
    const answer = explain(fleet, task);
    expect(answer).toMatchObject({
      reason: 'MIN_SCORE_NOT_REACHED',
      evidence: { minScore: 0.9, agents: 1, best: [{ agentId: 'a' }], filtered: { capability: 1 } },
    });
    expect(answer.nextStep).toContain('0.710 (a has room)');
    expect(explain(fleet, queuedTask({ ...task.needs, criteria: { minScore: 0.71 } })).reason).toBe('READY');
  });

  it('counts the slots when all are taken', () => {
    const fleet = fleetOf(fleetEntry('a', { capabilities: write, maxConcurrent: 2 }), fleetEntry('b'));
    load(fleet, 'a', 2);
    expect(explain(fleet)).toMatchObject({
      reason: 'ALL_AT_CAPACITY',
      evidence: { capableAgents: 1, slots: 2, held: 2, free: 0, filtered: { capability: 1, capacity: 1 } },
    });
  });

  it('is not said when an agent has room', () => {
    expect(explain(fleetOf(fleetEntry('a', { capabilities: write }))).reason).toBe('READY');
  });

  it('names the one agent the task waits for, whatever others could do', () => {
    const task = queuedTask({ backlogClass: 'pin:a', pinnedTo: 'a' });
    const fleet = fleetOf(fleetEntry('a', { maxConcurrent: 1 }), fleetEntry('b'));
    expect(explain(fleet, task).reason).toBe('READY');
    load(fleet, 'a', 1);
    expect(explain(fleet, task)).toMatchObject({
      reason: 'PINNED',
      evidence: { agentId: 'a', status: 'online', slots: 1, held: 1 },
    });
    expect(explain(fleetOf(fleetEntry('b')), task)).toMatchObject({
      reason: 'PINNED',
      evidence: { agentId: 'a', status: 'unknown' },
    });
  });
});

describe('who would get a task', () => {
  it('is the best of the whole fleet, whoever decides about it, with the runners-up and who was left out', () => {
    const fleet = fleetOf(
      fleetEntry('a', { capabilities: write }),
      fleetEntry('b', { capabilities: [{ name: 'write', level: 0.9 }] }),
      fleetEntry('c', { capabilities: [{ name: 'write', level: 0.4 }] }),
      fleetEntry('d', { capabilities: write, status: 'draining' }),
    );
    dropLeases(fleet);
    expect(chooseForTask(viewOf(fleet), needsWrite, 0)).toMatchObject({
      waiting: null,
      decision: {
        policy: 'weighted',
        chosen: { agentId: 'b' },
        runnersUp: [{ agentId: 'a' }],
        considered: 2,
        filtered: { capability: 1, draining: 1 },
      },
    });
  });

  it('is an agent that holds nothing, where that is asked for', () => {
    const fleet = fleetOf(fleetEntry('a', { capabilities: write }), fleetEntry('b', { capabilities: write }));
    load(fleet, 'a', 1);
    const chosen = () => chooseForTask(viewOf(fleet), needsWrite, 0, { idle: true }).decision?.chosen.agentId;
    expect(chosen()).toBe('b');
    load(fleet, 'b', 1);
    expect(chosen()).toBeUndefined();
  });
});
