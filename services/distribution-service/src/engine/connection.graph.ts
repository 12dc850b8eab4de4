import { connectionPart } from './scorers.scoring.js';
import type { Fleet } from '../fleet/fleet.state.js';

/** How strongly agents are connected, worked out when asked for and kept while the fleet stays the same. */
export type ConnectionGraph = {
  generation: number;
  readonly scores: Map<string, ReadonlyMap<string, number>>;
};

/** A graph nobody has asked about yet. */
export function createConnectionGraph(): ConnectionGraph {
  return { generation: -1, scores: new Map() };
}

/** The connection part of the score from one agent to every agent it has a path to; the others score 0. */
export function connectionsFrom(
  graph: ConnectionGraph,
  fleet: Fleet,
  from: string,
): ReadonlyMap<string, number> {
  if (graph.generation !== fleet.generation) {
    graph.scores.clear();
    graph.generation = fleet.generation;
  }
  const kept = graph.scores.get(from);
  if (kept !== undefined) return kept;
  const scores = scoresFrom(fleet, from);
  graph.scores.set(from, scores);
  return scores;
}

function scoresFrom(fleet: Fleet, from: string): ReadonlyMap<string, number> {
  const direct = new Map<string, number>();
  const twoHops = new Map<string, number>();
  for (const first of fleet.agents.get(from)?.connections ?? []) {
    direct.set(first.to, first.strength);
    for (const second of fleet.agents.get(first.to)?.connections ?? []) {
      const product = first.strength * second.strength;
      if (product > (twoHops.get(second.to) ?? -1)) twoHops.set(second.to, product);
    }
  }
  const scores = new Map<string, number>();
  for (const to of new Set([...direct.keys(), ...twoHops.keys()])) {
    scores.set(to, connectionPart({ direct: direct.get(to), twoHops: twoHops.get(to) }));
  }
  return scores;
}
