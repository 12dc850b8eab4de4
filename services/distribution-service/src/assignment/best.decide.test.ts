import { describe, expect, it } from '@jest/globals';
import { fleetEntry, fleetOf, load, queuedTask } from '../../test/factories.js';
import { POLICIES } from '../engine/policies.scoring.js';
import { createView } from '../engine/task.decide.js';
import { tasksFor } from './best.decide.js';

describe('the tasks that would go to an agent', () => {
  const fleet = fleetOf(
    fleetEntry('writer', { capabilities: [{ name: 'write', level: 0.9 }], maxConcurrent: 1 }),
    fleetEntry('helper', { capabilities: [{ name: 'write', level: 0.4 }], maxConcurrent: 10 }),
  );
  const view = createView(fleet, POLICIES.weighted);
  const writing = queuedTask({ requiredCapabilities: [{ name: 'write' }] });
  const flying = queuedTask({ requiredCapabilities: [{ name: 'fly' }] });
  const skipping = queuedTask({
    requiredCapabilities: [{ name: 'write' }],
    skippedAgents: [{ agentId: 'writer', until: '2026-01-01T00:01:00.000Z' }],
  });
  const now = Date.parse('2026-01-01T00:00:00.000Z');
  const of = (agentId: string) => tasksFor(() => view, agentId, [writing, flying, skipping], now);

  it('are those it is the best for, with or without room', () => {
    expect(of('writer')).toEqual([writing.id]);
    expect(of('helper')).toEqual([skipping.id]);
    load(fleet, 'helper', 10);
    expect(of('writer')).toEqual([writing.id]);
    expect(of('helper')).toEqual([skipping.id]);
  });
});
