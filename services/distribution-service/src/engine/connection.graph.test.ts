import { describe, expect, it } from '@jest/globals';
import { fleetEntry, fleetOf } from '../../test/factories.js';
import { applyHint } from '../fleet/fleet.fold.js';
import { connectionsFrom, createConnectionGraph } from './connection.graph.js';

describe('connections', () => {
  const fleet = fleetOf(
    fleetEntry('boss', {
      connections: [
        { to: 'near', strength: 0.8 },
        { to: 'other', strength: 0.5 },
        { to: 'both', strength: 0.1 },
      ],
    }),
    fleetEntry('near', {
      status: 'offline',
      connections: [
        { to: 'far', strength: 0.8 },
        { to: 'both', strength: 1 },
      ],
    }),
    fleetEntry('other', { connections: [{ to: 'far', strength: 1 }] }),
    fleetEntry('far', { connections: [{ to: 'too-far', strength: 1 }] }),
    fleetEntry('both'),
    fleetEntry('too-far'),
  );

  it('are the direct strength, else half the best product of two edges, else nothing', () => {
    const scores = connectionsFrom(createConnectionGraph(), fleet, 'boss');
    expect(scores.get('near')).toBe(0.8);
    expect(scores.get('both')).toBe(0.1);
    expect(scores.get('far')).toBeCloseTo(0.32, 12);
    expect(scores.has('too-far')).toBe(false);
  });

  it('of an unknown agent are none', () => {
    expect(connectionsFrom(createConnectionGraph(), fleet, 'nobody').size).toBe(0);
  });

  it('are worked out again when the fleet changed', () => {
    const changing = fleetOf(fleetEntry('a'), fleetEntry('b'));
    const graph = createConnectionGraph();
    expect(connectionsFrom(graph, changing, 'a').size).toBe(0);
    applyHint(changing, fleetEntry('a', { connections: [{ to: 'b', strength: 0.7 }] }), 1);
    expect(connectionsFrom(graph, changing, 'a').get('b')).toBe(0.7);
  });
});
