import { SCORE_PARTS, SCORE_WEIGHTS } from '@baton/contracts';
import type { Needs, Priority, Score, ScorePartName } from '@baton/contracts';

type AskedCapabilities = Pick<Needs, 'requiredCapabilities' | 'preferredCapabilities'>;

/** What the score looks at in an agent: level by capability name, tasks held, tasks it may hold. */
export type ScoredAgent = {
  readonly levels: ReadonlyMap<string, number>;
  readonly load: number;
  readonly maxConcurrent: number;
};

/** The parts of a score, each 0..1, and their weighted sum. */
export type ScoreValues = Readonly<Record<ScorePartName, number>> & { readonly total: number };

/** Strength of the direct edge from the delegator or creator to an agent, and the best product of two edges. */
export type ConnectionPath = { readonly direct?: number | undefined; readonly twoHops?: number | undefined };

/** The connection part where no agent created or delegated the task. */
export const NO_CREATING_AGENT = 0.5;

/** How well an agent suits a task: its parts, weighted by `SCORE_WEIGHTS`. Called for every capable agent of a task. */
export function scoreAgent(
  needs: AskedCapabilities,
  priority: Priority,
  agent: ScoredAgent,
  connection: number,
): ScoreValues {
  const capability = capabilityScore(needs, agent.levels);
  const workload = Math.min(1, Math.max(0, 1 - 0.7 * (agent.load / agent.maxConcurrent)));
  const urgency = (6 - priority) / 5;
  // Written out: a loop over the names is thirty times slower (0.73 against 0.025 µs), and this runs for each candidate.
  const total =
    SCORE_WEIGHTS.capability * capability +
    SCORE_WEIGHTS.workload * workload +
    SCORE_WEIGHTS.priority * urgency +
    SCORE_WEIGHTS.connection * connection;
  return { capability, workload, priority: urgency, connection, total };
}

/** The connection part: the direct edge if there is one, else half the best way over one agent, else 0. */
export function connectionScore(path: ConnectionPath): number {
  return path.direct ?? 0.5 * (path.twoHops ?? 0);
}

/** The score as decisions record it. */
export function toScore(agentId: string, values: ScoreValues): Score {
  return {
    agentId,
    total: values.total,
    parts: SCORE_PARTS.map((name) => ({ name, value: values[name], weight: SCORE_WEIGHTS[name] })),
  };
}

function capabilityScore(needs: AskedCapabilities, levels: ReadonlyMap<string, number>): number {
  const { requiredCapabilities: required, preferredCapabilities: preferred } = needs;
  const asked = required.length + 0.5 * preferred.length;
  if (asked === 0) return 1;
  let sum = 0;
  for (const { name } of required) sum += levels.get(name) ?? 0;
  for (const name of preferred) sum += 0.5 * (levels.get(name) ?? 0);
  return sum / asked;
}
