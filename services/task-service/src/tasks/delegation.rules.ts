import { DomainError, labelsMet, LIMITS, type Criteria, type RequiredCapability } from '@baton/contracts';
import type { Named, NamedAgent } from './task.js';

type Needs = {
  readonly requiredCapabilities: readonly RequiredCapability[];
  readonly criteria: Criteria;
  readonly excludedAgents?: readonly string[];
};

type HandOver = {
  readonly from: string;
  readonly to: string;
  /** All who handed it on, `from` among them. */
  readonly chain: readonly string[];
  readonly needs: Needs;
};

const NOBODY: Named = { agents: new Map(), connections: new Set() };

/** How an edge from one agent to another is named among the connections read; no id has the sign. */
export function connectionName(from: string, to: string): string {
  return `${from}>${to}`;
}

/** The agents a task is for by its criteria. */
export function namedBy({ requiredAgents = [], pin }: Criteria): readonly string[] {
  return pin === undefined ? requiredAgents : [...requiredAgents, pin.agentId];
}

/** The chain once this agent hands the task on. One that does so again, having got it back, stands in it already. */
export function chainAfter(chain: readonly string[], from: string): readonly string[] {
  return chain.includes(from) ? chain : [...chain, from];
}

/** Why an agent may not hand work to another, in the order a caller can do something about it. */
export function refuseTarget(
  { from, to, chain, needs }: HandOver,
  named: Named = NOBODY,
): DomainError | undefined {
  if (to === from) return refused('CYCLE', `Agent ${from} cannot hand a task on to itself`);
  if (!named.connections.has(connectionName(from, to))) {
    const message = `Agent ${from} is not connected to ${to}; PUT /v1/agents/${from}/connections/${to} connects them`;
    return refused('NOT_CONNECTED', message);
  }
  if (chain.includes(to)) {
    const path = [...chain, to];
    const message = `Agent ${to} has handed this work on already: ${path.join(' -> ')}`;
    return refused('CYCLE', message, { path });
  }
  if (chain.length > LIMITS.delegationChain) {
    const message = `Work is handed on at most ${LIMITS.delegationChain} times; this would be ${chain.length}`;
    return refused('DEPTH', message, { chain });
  }
  const agent = candidateFor(needs, to, named);
  return agent instanceof DomainError ? agent : undefined;
}

/** The agent named, where it may have a task of these needs once it has room. */
export function candidateFor(needs: Needs, id: string, named: Named = NOBODY): NamedAgent | DomainError {
  const agent = named.agents.get(id);
  if (agent === undefined) return new DomainError('AGENT_NOT_FOUND', `No agent ${id} is registered`);
  if (agent.status === 'draining')
    return refused('DRAINING', `Agent ${id} is draining: it takes no further tasks`);
  return refuseNeeds(needs, agent) ?? agent;
}

function refuseNeeds(
  { requiredCapabilities, criteria, excludedAgents = [] }: Needs,
  agent: NamedAgent,
): DomainError | undefined {
  const levels = new Map(agent.capabilities.map(({ name, level }) => [name, level]));
  const missing = requiredCapabilities.filter(
    ({ name, minLevel = 0 }) => (levels.get(name) ?? -1) < minLevel,
  );
  if (missing.length > 0) {
    const names = missing.map(({ name, minLevel }) => (minLevel ? `${name} at level ${minLevel}` : name));
    return refused('CAPABILITY', `Agent ${agent.id} lacks ${names.join(', ')}, which the task requires`, {
      missing,
    });
  }
  if (criteria.requiredAgents !== undefined && !criteria.requiredAgents.includes(agent.id)) {
    const message = `The task is for ${criteria.requiredAgents.join(', ')} only, not for ${agent.id}`;
    return refused('CAPABILITY', message);
  }
  const { pin, requiredLabels = {} } = criteria;
  if (labelsMet(agent.labels, requiredLabels) < 1) {
    const message = `Agent ${agent.id} lacks labels the task requires`;
    return refused('CAPABILITY', message, { requiredLabels, labels: agent.labels });
  }
  if (pin?.mode === 'require' && pin.agentId !== agent.id)
    return refused('CAPABILITY', `The task is for ${pin.agentId} only, not for ${agent.id}`);
  if (!excludedAgents.includes(agent.id)) return undefined;
  return refused('CAPABILITY', `The task is not for ${agent.id}: it is excluded, or declined it`);
}

function refused(
  what: 'NOT_CONNECTED' | 'CAPABILITY' | 'CYCLE' | 'DEPTH' | 'DRAINING',
  message: string,
  details?: Readonly<Record<string, unknown>>,
): DomainError {
  return new DomainError(`DELEGATION_${what}`, message, details === undefined ? {} : { details });
}
