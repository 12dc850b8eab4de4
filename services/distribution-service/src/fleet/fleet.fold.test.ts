import { describe, expect, it } from '@jest/globals';
import { agentIn, fleetEntry, fleetOf, snapshotAgent, taskId } from '../../test/factories.js';
import { applyExpiry, applyHint, applySnapshot, doubt, isLive, removeMissing } from './fleet.fold.js';
import { createFleet } from './fleet.state.js';
import { hold, release, reserve, roomOf } from './slots.fold.js';

describe('a hint about an agent', () => {
  it('of an earlier life changes nothing', () => {
    const fleet = fleetOf(fleetEntry('a', { epoch: 2 }));
    applyHint(fleet, fleetEntry('a', { epoch: 1, status: 'offline' }), 1);
    expect(agentIn(fleet, 'a')).toMatchObject({ epoch: 2, status: 'online' });
  });

  it('that repeats what is known keeps the caches', () => {
    const fleet = fleetOf(fleetEntry('a'));
    const { generation } = fleet;
    applyHint(fleet, fleetEntry('a'), 1);
    expect(fleet.generation).toBe(generation);
    applyHint(fleet, fleetEntry('a', { capabilities: [{ name: 'write', level: 1 }] }), 1);
    expect(fleet.generation).toBe(generation + 1);
  });

  it('of a new life counts from when it came', () => {
    const fleet = fleetOf(fleetEntry('a'));
    applyHint(fleet, fleetEntry('a', { epoch: 2 }), 500);
    expect(agentIn(fleet, 'a').epochSince).toBe(500);
  });
});

describe('a snapshot', () => {
  const task = taskId();
  const held = [{ taskId: task, attempt: 1, version: 2 }];

  it('tells agents and what they hold', () => {
    const fleet = createFleet('self');
    applySnapshot(fleet, [snapshotAgent('a', { held })], 0, 7);
    expect(agentIn(fleet, 'a').held).toEqual(new Set([task]));
    expect(agentIn(fleet, 'a').epochSince).toBe(7);
    expect(isLive(fleet, 'a', 1)).toBe(true);
  });

  it('heals a lost release', () => {
    const fleet = createFleet('self');
    applySnapshot(fleet, [snapshotAgent('a', { held, maxConcurrent: 1 })], 0, 0);
    applySnapshot(fleet, [snapshotAgent('a', { maxConcurrent: 1 })], fleet.step, 0);
    expect(roomOf(agentIn(fleet, 'a'))).toBe(1);
    expect(fleet.holds.size).toBe(0);
  });

  it('does not undo what was learned after it was asked for', () => {
    const fleet = fleetOf(fleetEntry('a'), fleetEntry('b'));
    const askedAt = fleet.step;
    const newer = taskId();
    hold(fleet, { agentId: 'a', taskId: newer, version: 2 });
    release(fleet, { agentId: 'a', taskId: task, version: 3 });
    applyHint(fleet, fleetEntry('b', { status: 'offline' }), 1);
    const again = applySnapshot(fleet, [snapshotAgent('a', { held }), snapshotAgent('b')], askedAt, 1);
    expect(agentIn(fleet, 'a').held).toEqual(new Set([newer]));
    expect(agentIn(fleet, 'b').status).toBe('offline');
    expect(again).toEqual(['b']);
  });

  it('keeps slots reserved for assignments under way', () => {
    const fleet = fleetOf(fleetEntry('a', { maxConcurrent: 1 }));
    reserve(fleet, agentIn(fleet, 'a'), task);
    applySnapshot(fleet, [snapshotAgent('a', { maxConcurrent: 1 })], fleet.step, 0);
    expect(roomOf(agentIn(fleet, 'a'))).toBe(0);
  });

  it('ends doubt only when it was asked for after the doubt arose', () => {
    const fleet = fleetOf(fleetEntry('a'));
    const askedAt = fleet.step;
    doubt(fleet, 'a');
    applySnapshot(fleet, [snapshotAgent('a')], askedAt, 0);
    expect(roomOf(agentIn(fleet, 'a'))).toBe(0);
    applySnapshot(fleet, [snapshotAgent('a')], fleet.step, 0);
    expect(roomOf(agentIn(fleet, 'a'))).toBe(5);
  });

  it('that is complete removes who is not in it, but nobody who came since', () => {
    const fleet = fleetOf(fleetEntry('old'));
    hold(fleet, { agentId: 'old', taskId: task, version: 2 });
    const askedAt = fleet.step;
    applyHint(fleet, fleetEntry('new'), 1);
    removeMissing(fleet, new Set(), askedAt);
    expect([...fleet.agents.keys()]).toEqual(['new']);
    expect(fleet.holds.size).toBe(0);
  });
});

describe('an expiry', () => {
  it('takes its epoch offline and no other', () => {
    const fleet = fleetOf(fleetEntry('a', { epoch: 3 }));
    applyExpiry(fleet, 'a', 2);
    expect(isLive(fleet, 'a', 3)).toBe(true);
    applyExpiry(fleet, 'a', 3);
    expect(isLive(fleet, 'a', 3)).toBe(false);
    applyHint(fleet, fleetEntry('a', { epoch: 4 }), 9);
    expect(isLive(fleet, 'a', 4)).toBe(true);
  });
});
