import { labelsMet, type QueuedTask, type Score, type Waiting } from '@baton/contracts';
import type { FleetAgent } from '../fleet/fleet.state.js';
import { loadOf, roomOf } from '../fleet/slots.fold.js';
import { isCapable, unfitness, type FilteredCounts } from './candidates.filter.js';

type Needs = QueuedTask['needs'];
/** What a look at every agent gave: whom it left out, and the scores of the rest, best first. */
type Looked = { readonly filtered: FilteredCounts; readonly scores: readonly Score[] };

const SHOWN = 5;

/** Why none of these agents gets a task: the reason that stands for most, what shows it, and what helps. */
export function explainNobody(
  agents: readonly FleetAgent[],
  { needs }: Pick<QueuedTask, 'needs'>,
  { filtered, scores }: Looked,
): Waiting {
  if (scores.length > 0) return tooLow(needs, { filtered, scores });
  if (needs.pinnedTo !== undefined) return pinned(needs.pinnedTo, agents[0], filtered);
  const capable = agents.filter((agent) => unfitness(agent, needs) === undefined);
  return capable.length > 0 ? atCapacity(capable, filtered) : notCapable(agents, needs, filtered);
}

function tooLow({ criteria: { minScore } }: Needs, { filtered, scores }: Looked): Waiting {
  const [best] = scores;
  return {
    reason: 'MIN_SCORE_NOT_REACHED',
    evidence: { minScore, agents: scores.length, best: scores.slice(0, SHOWN), filtered },
    nextStep:
      `Lower minScore to ${(best?.total ?? 0).toFixed(3)} (${best?.agentId} has room), wait for an agent that is ` +
      'less loaded, or start a better one.',
  };
}

function pinned(agentId: string, agent: FleetAgent | undefined, filtered: FilteredCounts): Waiting {
  const seen =
    agent === undefined
      ? { status: 'unknown' }
      : { status: agent.silent ? 'silent' : agent.status, slots: agent.maxConcurrent, held: loadOf(agent) };
  return {
    reason: 'PINNED',
    evidence: { agentId, ...seen, filtered },
    nextStep: `Wait until ${agentId} takes it or the pin is over (pinnedUntil), or reassign the agent's work.`,
  };
}

function atCapacity(capable: readonly FleetAgent[], filtered: FilteredCounts): Waiting {
  const slots = capable.reduce((sum, agent) => sum + agent.maxConcurrent, 0);
  const held = capable.reduce((sum, agent) => sum + loadOf(agent), 0);
  const free = capable.reduce((sum, agent) => sum + roomOf(agent), 0);
  return {
    reason: 'ALL_AT_CAPACITY',
    evidence: { capableAgents: capable.length, slots, held, free, filtered },
    nextStep:
      filtered.excluded === undefined
        ? 'Wait for a slot, raise maxConcurrent of a capable agent, or start another one.'
        : 'Wait for a slot: agents that failed this task are passed over for a while, the others are full.',
  };
}

/** What a task requires, and who has it: `below` counts agents that have it at a lower level than asked for. */
type Capability = Needs['requiredCapabilities'][number] & {
  readonly agents: number;
  readonly online: number;
  readonly below: number;
  readonly bestLevel: number | null;
};

function notCapable(agents: readonly FleetAgent[], needs: Needs, filtered: FilteredCounts): Waiting {
  const capabilities = needs.requiredCapabilities.map((required): Capability => {
    const having = agents.filter((agent) => isCapable(agent, [required]));
    const levels = agents.flatMap((agent) => agent.levels.get(required.name) ?? []);
    return {
      ...required,
      agents: having.length,
      online: having.filter(isOnline).length,
      below: levels.length - having.length,
      bestLevel: levels.length === 0 ? null : Math.max(...levels),
    };
  });
  return {
    reason: 'NO_CAPABLE_AGENT',
    evidence: { agents: agents.length, capabilities, filtered, criteria: needs.criteria },
    nextStep: nextStep(agents, needs, capabilities),
  };
}

function nextStep(agents: readonly FleetAgent[], needs: Needs, capabilities: readonly Capability[]): string {
  const missing = capabilities.filter((capability) => capability.agents === 0);
  if (missing.length > 0) return nextStepWithout(missing);
  const away = agents.filter(
    (agent) =>
      !isOnline(agent) && unfitness({ ...agent, status: 'online', silent: false }, needs) === undefined,
  );
  if (away.length > 0) {
    const names = away
      .slice(0, SHOWN)
      .map((agent) => `${agent.id} (${agent.silent ? 'silent' : agent.status})`);
    return `Bring an agent online that could do it: ${names.join(', ')}.`;
  }
  const { requiredAgents = [], excludedAgents = [], requiredLabels = {} } = needs.criteria;
  if (!agents.some(({ labels }) => labelsMet(labels, requiredLabels) === 1)) {
    const labels = Object.entries(requiredLabels).map(([name, value]) => `${name}: ${value}`);
    return `Start an agent with the labels ${labels.join(', ')}, which the task requires: no agent has them.`;
  }
  if (requiredAgents.length + excludedAgents.length + Object.keys(requiredLabels).length > 0)
    return 'Change the criteria of the task, or start an agent that meets them and has every capability.';
  return 'Start one agent that has all the capabilities together: each exists, but never in one agent.';
}

function nextStepWithout(missing: readonly Capability[]): string {
  const names = missing.map(({ name, minLevel }) =>
    minLevel === undefined ? `"${name}"` : `"${name}" at level ${minLevel} or more`,
  );
  const below = missing.filter((capability) => capability.below > 0);
  const levels = below.map(
    ({ name, below: count, bestLevel }) => `${count} have "${name}" at up to ${bestLevel}`,
  );
  const nobody = levels.length === 0 ? 'no agent has it' : `no agent has it; ${levels.join(', ')}`;
  return `Start an agent with the capability ${names.join(' and ')}: ${nobody}.`;
}

function isOnline({ status, silent }: FleetAgent): boolean {
  return status === 'online' && !silent;
}
