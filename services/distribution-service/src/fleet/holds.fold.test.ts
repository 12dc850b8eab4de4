import { describe, expect, it } from '@jest/globals';
import { createFleet } from './fleet.state.js';
import { applyHeldBack, applyRoom, holdBack, isHeldBack, spend } from './holds.fold.js';

describe('what is held back', () => {
  it('is what task-service told last, of everything or of some types', () => {
    const fleet = createFleet('self');
    expect(isHeldBack(fleet, 'a')).toBe(false);
    expect(applyHeldBack(fleet, { all: true, types: [] })).toBe(false);
    expect(isHeldBack(fleet, 'a')).toBe(true);
    expect(applyHeldBack(fleet, { all: false, types: ['a'] })).toBe(true);
    expect([isHeldBack(fleet, 'a'), isHeldBack(fleet, 'b')]).toEqual([true, false]);
    expect(applyHeldBack(fleet, { all: false, types: ['a'] })).toBe(false);
    expect(applyHeldBack(fleet, { all: false, types: [] })).toBe(true);
    expect(isHeldBack(fleet, 'a')).toBe(false);
  });

  it('is a type whose proposal was refused, but for as many as were told to have ended', () => {
    const fleet = createFleet('self');
    // Nothing is known of a limit: any number may be tried.
    expect(applyRoom(fleet, { room: [{ type: 'a', count: 1 }] })).toBe(false);
    spend(fleet, 'a');
    expect(isHeldBack(fleet, 'a')).toBe(false);
    holdBack(fleet, 'a');
    expect(isHeldBack(fleet, 'a')).toBe(true);
    expect(applyRoom(fleet, { room: [{ type: 'a', count: 2 }] })).toBe(true);
    spend(fleet, 'a');
    expect(isHeldBack(fleet, 'a')).toBe(false);
    spend(fleet, 'a');
    expect(isHeldBack(fleet, 'a')).toBe(true);
  });
});
