import { describe, expect, it } from '@jest/globals';
import { agentIn, fleetEntry, fleetOf, load, queuedTask } from '../../test/factories.js';
import { markSilent } from '../fleet/fleet.fold.js';
import { filterAgents } from './candidates.filter.js';

const now = Date.parse('2026-01-01T00:00:00.000Z');
const later = '2026-01-01T00:01:00.000Z';
const earlier = '2025-12-31T23:59:59.000Z';
const write = [{ name: 'write', level: 0.6 }];

describe('the filter', () => {
  it('counts every agent it leaves out under its first reason', () => {
    const fleet = fleetOf(
      fleetEntry('gone', { status: 'offline' }),
      fleetEntry('quiet', { capabilities: write }),
      fleetEntry('leaving', { status: 'draining' }),
      fleetEntry('unwanted', { capabilities: write }),
      fleetEntry('failed', { capabilities: write }),
      fleetEntry('unable'),
      fleetEntry('weak', { capabilities: [{ name: 'write', level: 0.4 }] }),
      fleetEntry('full', { capabilities: write, maxConcurrent: 1 }),
      fleetEntry('good', { capabilities: write }),
    );
    markSilent(fleet, 'quiet');
    load(fleet, 'full', 1);
    const { needs } = queuedTask({
      requiredCapabilities: [{ name: 'write', minLevel: 0.5 }],
      criteria: { excludedAgents: ['unwanted'] },
      skippedAgents: [{ agentId: 'failed', until: later }],
    });
    const { candidates, filtered } = filterAgents([...fleet.agents.values()], needs, now);
    expect(candidates).toEqual([agentIn(fleet, 'good')]);
    expect(filtered).toEqual({
      offline: 2,
      draining: 1,
      criteria: 1,
      excluded: 1,
      capability: 2,
      capacity: 1,
    });
  });

  it('lets only required agents pass', () => {
    const fleet = fleetOf(fleetEntry('one'), fleetEntry('other'));
    const { needs } = queuedTask({ criteria: { requiredAgents: ['other'] } });
    const { candidates, filtered } = filterAgents([...fleet.agents.values()], needs, now);
    expect(candidates.map(({ id }) => id)).toEqual(['other']);
    expect(filtered).toEqual({ criteria: 1 });
  });

  it('binds beyond the slots only as far as prefetch goes', () => {
    const fleet = fleetOf(fleetEntry('one', { maxConcurrent: 1, prefetch: 1 }));
    const { needs } = queuedTask();
    load(fleet, 'one', 1);
    expect(filterAgents([...fleet.agents.values()], needs, now).candidates).toHaveLength(1);
    load(fleet, 'one', 1);
    expect(filterAgents([...fleet.agents.values()], needs, now).candidates).toHaveLength(0);
  });

  describe('of an agent that failed the task', () => {
    const skipped = (until: string) => queuedTask({ skippedAgents: [{ agentId: 'failed', until }] }).needs;

    it('takes it again when its time is over', () => {
      const fleet = fleetOf(fleetEntry('failed'), fleetEntry('other'));
      expect(filterAgents([...fleet.agents.values()], skipped(earlier), now).candidates).toHaveLength(2);
    });

    it('waits for another that is full', () => {
      const fleet = fleetOf(fleetEntry('failed'), fleetEntry('other', { maxConcurrent: 1 }));
      load(fleet, 'other', 1);
      const { candidates, filtered } = filterAgents([...fleet.agents.values()], skipped(later), now);
      expect(candidates).toEqual([]);
      expect(filtered).toEqual({ excluded: 1, capacity: 1 });
    });

    it('takes it when nobody else online could do the task', () => {
      const fleet = fleetOf(fleetEntry('failed'), fleetEntry('other', { status: 'offline' }));
      const { candidates } = filterAgents([...fleet.agents.values()], skipped(later), now);
      expect(candidates.map(({ id }) => id)).toEqual(['failed']);
    });
  });
});
