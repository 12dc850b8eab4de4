/** Which agents each class of tasks may use, how much of the work is of each class, and how much each agent can do. */
export type FlowProblem = {
  readonly shares: readonly number[];
  readonly agentsOf: readonly (readonly number[])[];
  readonly capacities: readonly number[];
};

/**
 * The largest rate of work at which every class can still be served: the load 1 of a fleet. By bisection over the maximal
 * flow from classes to agents, within a thousandth.
 */
export function capacityOf(problem: FlowProblem): number {
  const total = problem.capacities.reduce((sum, capacity) => sum + capacity, 0);
  if (isFeasible(problem, 0.999 * total)) return 0.999 * total;
  let [low, high] = [0, total];
  while (high - low > total / 1_000) {
    const rate = (low + high) / 2;
    if (isFeasible(problem, rate)) low = rate;
    else high = rate;
  }
  return low;
}

/** Whether all classes fit: each fills its agents, and displaces others that have somewhere else to go. */
function isFeasible({ shares, agentsOf, capacities }: FlowProblem, rate: number): boolean {
  const free = [...capacities];
  /** What each agent does for each class. */
  const flows = capacities.map(() => new Map<number, number>());
  for (const [origin, share] of shares.entries()) {
    let left = share * rate;
    while (left > rate * 1e-6) {
      const path = findPath(agentsOf, free, flows, origin);
      if (path === undefined) return false;
      left -= push(free, flows, path, left);
    }
  }
  return true;
}

type Step = { readonly agent: number; readonly kind: number };

/** Classes and agents in turn, from the class to an agent that has something left, by the fewest steps. */
function findPath(
  agentsOf: FlowProblem['agentsOf'],
  free: readonly number[],
  flows: readonly ReadonlyMap<number, number>[],
  origin: number,
): readonly Step[] | undefined {
  const cameFrom = new Map<number, { readonly kind: number; readonly agent: number | undefined }>();
  const kinds = [{ kind: origin, agent: undefined as number | undefined }];
  const seen = new Set([origin]);
  for (const { kind, agent: via } of kinds) {
    for (const agent of agentsOf[kind] ?? []) {
      if (cameFrom.has(agent)) continue;
      cameFrom.set(agent, { kind, agent: via });
      if ((free[agent] ?? 0) > 1e-9) return pathTo(cameFrom, agent);
      for (const [other, flow] of flows[agent] ?? []) {
        if (flow <= 1e-9 || seen.has(other)) continue;
        seen.add(other);
        kinds.push({ kind: other, agent });
      }
    }
  }
  return undefined;
}

function pathTo(
  cameFrom: ReadonlyMap<number, { readonly kind: number; readonly agent: number | undefined }>,
  last: number,
): readonly Step[] {
  const path: Step[] = [];
  for (let agent: number | undefined = last; agent !== undefined;) {
    const step = cameFrom.get(agent);
    if (step === undefined) break;
    path.unshift({ agent, kind: step.kind });
    ({ agent } = step);
  }
  return path;
}

/** Each class of the path moves as much as all can from the agent before to its own; the last agent has it free. */
function push(
  free: number[],
  flows: readonly Map<number, number>[],
  path: readonly Step[],
  wanted: number,
): number {
  const last = path.at(-1) as Step;
  let amount = Math.min(wanted, free[last.agent] ?? 0);
  for (const [index, { kind }] of path.entries()) {
    const before = path[index - 1];
    if (before !== undefined) amount = Math.min(amount, flows[before.agent]?.get(kind) ?? 0);
  }
  for (const [index, { agent, kind }] of path.entries()) {
    flows[agent]?.set(kind, (flows[agent].get(kind) ?? 0) + amount);
    const before = path[index - 1];
    if (before !== undefined) flows[before.agent]?.set(kind, (flows[before.agent]?.get(kind) ?? 0) - amount);
  }
  free[last.agent] = (free[last.agent] ?? 0) - amount;
  return amount;
}
