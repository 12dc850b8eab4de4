import type { QueuedTask, Waiting } from '@baton/contracts';
import type { Fleet, FleetAgent } from '../fleet/fleet.state.js';
import { loadOf, roomOf } from '../fleet/slots.fold.js';
import { filterAgents, isCapable, unfitness, type FilteredCounts } from './candidates.filter.js';

type Explained = Waiting & { readonly reason: 'NO_CAPABLE_AGENT' | 'ALL_AT_CAPACITY' | 'PINNED' | 'READY' };

/** Why a queued task is not with an agent at `now` (milliseconds of the epoch), counted over the whole fleet. */
export function explainWaiting(fleet: Fleet, task: Pick<QueuedTask, 'needs'>, now: number): Explained {
  const { pinnedTo } = task.needs;
  const agents = [...fleet.agents.values()].filter(({ id }) => pinnedTo === undefined || id === pinnedTo);
  const { candidates, filtered } = filterAgents(agents, task.needs, now);
  if (candidates.length > 0) {
    return {
      reason: 'READY',
      evidence: { agents: candidates.length, filtered },
      nextStep:
        'Nothing: an agent has room and the task is assigned when its turn comes, within a second or so.',
    };
  }
  if (pinnedTo !== undefined) return pinned(pinnedTo, agents[0], filtered);
  const capable = agents.filter((agent) => unfitness(agent, task.needs) === undefined);
  return capable.length > 0 ? atCapacity(capable, filtered) : notCapable(agents, task.needs, filtered);
}

function pinned(agentId: string, agent: FleetAgent | undefined, filtered: FilteredCounts): Explained {
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

function atCapacity(capable: readonly FleetAgent[], filtered: FilteredCounts): Explained {
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

function notCapable(
  agents: readonly FleetAgent[],
  needs: QueuedTask['needs'],
  filtered: FilteredCounts,
): Explained {
  const capabilities = needs.requiredCapabilities.map((required) => {
    const having = agents.filter((agent) => isCapable(agent, [required]));
    const online = having.filter((agent) => agent.status === 'online' && !agent.silent);
    return { ...required, agents: having.length, online: online.length };
  });
  return {
    reason: 'NO_CAPABLE_AGENT',
    evidence: { agents: agents.length, capabilities, filtered, criteria: needs.criteria },
    nextStep: nextStep(agents, needs, capabilities),
  };
}

function nextStep(
  agents: readonly FleetAgent[],
  needs: QueuedTask['needs'],
  capabilities: readonly { name: string; minLevel?: number | undefined; agents: number }[],
): string {
  const missing = capabilities.filter((capability) => capability.agents === 0);
  if (missing.length > 0) {
    const names = missing.map(({ name, minLevel }) =>
      minLevel === undefined ? `"${name}"` : `"${name}" at level ${minLevel} or more`,
    );
    return `Start an agent with the capability ${names.join(' and ')}: no agent has it.`;
  }
  const away = agents.filter((agent) => {
    const reason = unfitness(agent, needs);
    const isAway = reason === 'offline' || reason === 'draining';
    return isAway && unfitness({ ...agent, status: 'online', silent: false }, needs) === undefined;
  });
  if (away.length > 0) {
    const names = away.slice(0, 5).map((agent) => `${agent.id} (${agent.silent ? 'silent' : agent.status})`);
    return `Bring an agent online that could do it: ${names.join(', ')}.`;
  }
  const { requiredAgents = [], excludedAgents = [] } = needs.criteria;
  if (requiredAgents.length > 0 || excludedAgents.length > 0) {
    return 'Change the criteria of the task, or start an agent that meets them and has every capability.';
  }
  return 'Start one agent that has all the capabilities together: each exists, but never in one agent.';
}
