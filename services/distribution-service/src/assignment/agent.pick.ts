import type { FleetAgent } from '../fleet/fleet.state.js';
import { loadOf } from '../fleet/slots.fold.js';
import type { ScoreValues } from './task.scoring.js';

export type Scored = { readonly agent: FleetAgent; readonly values: ScoreValues };

/**
 * The best of the candidates, best first, at most `count`: by score, then lower utilization, then longest
 * without an assignment, then id. The order is total, so the order of the candidates does not matter.
 */
export function pickBest(candidates: readonly Scored[], count: number): readonly Scored[] {
  const best: Scored[] = [];
  for (const candidate of candidates) {
    let place = best.length;
    while (place > 0 && isBetter(candidate, best[place - 1])) place -= 1;
    if (place >= count) continue;
    best.splice(place, 0, candidate);
    if (best.length > count) best.pop();
  }
  return best;
}

function isBetter(one: Scored, other: Scored | undefined): boolean {
  if (other === undefined) return true;
  if (one.values.total !== other.values.total) return one.values.total > other.values.total;
  const utilization = utilizationOf(one.agent) - utilizationOf(other.agent);
  if (utilization !== 0) return utilization < 0;
  if (one.agent.assignedAt !== other.agent.assignedAt) return one.agent.assignedAt < other.agent.assignedAt;
  return one.agent.id < other.agent.id;
}

function utilizationOf(agent: FleetAgent): number {
  return loadOf(agent) / agent.maxConcurrent;
}
