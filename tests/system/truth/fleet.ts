import type { AgentHost, HandlerRun } from '../agents.js';
import type { Hold } from './history.js';

/** Agents that live together, as a host knows them. */
export type KnownAgents = Pick<AgentHost, 'ids' | 'lives'>;

/** An agent found silent: when its epoch was ended. */
export type Expiry = { readonly agentId: string; readonly at: number };

/** An agent that could beat for this long before its expiry was alive. */
const ALIVE_MS = 2_000;

/**
 * Sweeps over everything agents held and tells who ever held more than it may. What ends at a moment is over before
 * what begins at the same one.
 */
export function checkCapacity(
  holds: readonly Hold[],
  capacity: ReadonlyMap<string, number>,
): readonly string[] {
  const steps = holds.flatMap(({ agentId, from, to }) => [
    { agentId, at: from, change: 1 },
    ...(to === undefined ? [] : [{ agentId, at: to, change: -1 }]),
  ]);
  const held = new Map<string, number>();
  const problems = new Map<string, string>();
  for (const { agentId, at, change } of steps.toSorted((a, b) => a.at - b.at || a.change - b.change)) {
    const count = (held.get(agentId) ?? 0) + change;
    held.set(agentId, count);
    const room = capacity.get(agentId) ?? 0;
    if (count <= room || problems.has(agentId)) continue;
    problems.set(
      agentId,
      `agent ${agentId} held ${count} tasks at ${new Date(at).toISOString()}, has room for ${room}`,
    );
  }
  return [...problems.values()];
}

/** Tells which agents were expired while they could beat. Of agents nobody names, none may be expired. */
export function checkExpiries(
  expiries: readonly Expiry[],
  agents: readonly KnownAgents[],
): readonly string[] {
  return expiries.flatMap(({ agentId, at }) => {
    const hosts = agents.filter(({ ids }) => ids.includes(agentId));
    const wasAlive = hosts.some(({ lives }) =>
      lives.some(({ from, to = Number.POSITIVE_INFINITY }) => from <= at - ALIVE_MS && at <= to),
    );
    if (hosts.length > 0 && !wasAlive) return [];
    return [`agent ${agentId} was expired at ${new Date(at).toISOString()} while it was alive`];
  });
}

/** A task that completed, by whom and in which attempt. */
export type Completion = { readonly taskId: string; readonly agentId: string; readonly attempt: number };

/** Holds what handlers did against what was accepted: no attempt ran twice, and what completed was done. */
export function checkRuns(
  runs: readonly HandlerRun[],
  completions: readonly Completion[],
  agents: readonly KnownAgents[],
): readonly string[] {
  const hosted = new Set(agents.flatMap(({ ids }) => ids));
  const seen = new Map<string, HandlerRun>();
  const problems: string[] = [];
  for (const run of runs) {
    const key = `${run.taskId} ${run.attempt}`;
    if (seen.has(key)) problems.push(`attempt ${run.attempt} of task ${run.taskId} ran twice`);
    seen.set(key, run);
  }
  for (const { taskId, agentId, attempt } of completions) {
    if (!hosted.has(agentId)) continue;
    const run = seen.get(`${taskId} ${attempt}`);
    if (run?.agentId === agentId && run.outcome === 'completed') continue;
    problems.push(
      `task ${taskId} completed in attempt ${attempt} of ${agentId}, whose handler did not complete it`,
    );
  }
  return problems;
}
