import { describe, expect, it } from '@jest/globals';
import { SCORE_PARTS, type ScorePartName } from '@baton/contracts';
import fc from 'fast-check';
import { agentIn, fleetEntry, fleetOf, load, taskId } from '../../test/factories.js';
import { reserve, unreserve } from '../fleet/slots.fold.js';
import { pickBest, type Scored } from './agent.pick.js';

const parts = Object.fromEntries(SCORE_PARTS.map((name) => [name, 0])) as Record<ScorePartName, number>;
const values = (total: number) => ({ ...parts, total });
const ids = (scored: readonly Scored[]) => scored.map(({ agent }) => agent.id);

describe('the pick', () => {
  it('prefers the higher score, then lower utilization, then longest unassigned, then the id', () => {
    const fleet = fleetOf(
      fleetEntry('best'),
      fleetEntry('half', { maxConcurrent: 2 }),
      fleetEntry('latest'),
      fleetEntry('earlier'),
      fleetEntry('a'),
      fleetEntry('b'),
    );
    load(fleet, 'half', 1);
    for (const agentId of ['earlier', 'latest']) {
      const id = taskId();
      reserve(fleet, agentIn(fleet, agentId), id);
      unreserve(fleet, agentId, id);
    }
    const scored = [...fleet.agents.values()].map((agent) => ({
      agent,
      values: values(agent.id === 'best' ? 0.9 : 0.5),
    }));
    expect(ids(pickBest(scored, 6))).toEqual(['best', 'a', 'b', 'earlier', 'latest', 'half']);
  });

  it('does not depend on the order of the candidates and equals a full sort', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const fleet = fleetOf(...names.map((id) => fleetEntry(id, { maxConcurrent: 4 })));
    const totals = fc.array(fc.constantFrom(0.1, 0.5, 0.9), { minLength: 8, maxLength: 8 });
    const order = fc.shuffledSubarray(names, { minLength: 8 });
    fc.assert(
      fc.property(totals, order, (scores, shuffled) => {
        const scored = names.map((id, index) => ({
          agent: agentIn(fleet, id),
          values: values(scores[index] ?? 0),
        }));
        const sorted = scored.toSorted(
          (one, other) => other.values.total - one.values.total || (one.agent.id < other.agent.id ? -1 : 1),
        );
        const given = shuffled.map((id) => scored.find(({ agent }) => agent.id === id) as Scored);
        expect(ids(pickBest(given, 4))).toEqual(ids(sorted.slice(0, 4)));
      }),
    );
  });

  it('answers nobody when there is nobody', () => {
    expect(pickBest([], 4)).toEqual([]);
  });
});
