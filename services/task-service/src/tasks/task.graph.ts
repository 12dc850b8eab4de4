/**
 * A cycle among edges `from → to` as a path that ends where it begins, or nothing. Kahn's algorithm (1962), then
 * a walk inside what is left over; no recursion, so that depth is bounded by memory only. O(nodes + edges).
 */
export function findCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const unmet = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  for (const [node, targets] of edges) {
    const inside = targets.filter((target) => edges.has(target));
    unmet.set(node, inside.length);
    for (const target of inside) {
      const list = dependents.get(target);
      if (list === undefined) dependents.set(target, [node]);
      else list.push(node);
    }
  }
  const ready = [...unmet].filter(([, count]) => count === 0).map(([node]) => node);
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    unmet.delete(node);
    for (const dependent of dependents.get(node) ?? []) {
      const count = (unmet.get(dependent) ?? 0) - 1;
      unmet.set(dependent, count);
      if (count === 0) ready.push(dependent);
    }
  }
  return unmet.size === 0 ? undefined : walk(edges, unmet);
}

/**
 * The shortest way from one node to another along edges `from → to`, both ends in it, or nothing. A walk by breadth,
 * without recursion: O(nodes + edges) that can be reached.
 */
export function findPath(
  edges: ReadonlyMap<string, readonly string[]>,
  from: string,
  to: string,
): readonly string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]]);
  // A set walked while it grows: each node once, in the order they were found.
  for (const node of cameFrom.keys()) {
    if (node === to) return wayTo(cameFrom, to);
    for (const target of edges.get(node) ?? []) if (!cameFrom.has(target)) cameFrom.set(target, node);
  }
  return undefined;
}

function wayTo(cameFrom: ReadonlyMap<string, string | undefined>, to: string): readonly string[] {
  const way: string[] = [];
  for (let node: string | undefined = to; node !== undefined; node = cameFrom.get(node)) way.push(node);
  return way.toReversed();
}

/** Every node left has an edge to another node left, so following them must come back. */
function walk(
  edges: ReadonlyMap<string, readonly string[]>,
  left: ReadonlyMap<string, number>,
): readonly string[] {
  const seen = new Map<string, number>();
  const path: string[] = [];
  let node = left.keys().next().value;
  while (node !== undefined && !seen.has(node)) {
    seen.set(node, path.length);
    path.push(node);
    node = edges.get(node)?.find((target) => left.has(target));
  }
  return node === undefined ? path : [...path.slice(seen.get(node)), node];
}
