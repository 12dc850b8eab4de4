import { DomainError } from '@baton/contracts';
import { candidateFor, chainAfter, refuseTarget } from './delegation.rules.js';
import { skip } from './given-up.decide.js';
import { changed, conflict, given, queued } from './outcome.decide.js';
import { pinnedFrom } from './pin.policy.js';
import { allows, type TaskCommand } from './task.state.js';
import type { AgentUnderLock, Decided, Related, Task } from './task.js';

type Of<Kind extends TaskCommand['kind']> = Extract<TaskCommand, { kind: Kind }>;

/**
 * The holder hands its task on to an agent it is connected to. Where that one has no room, the task waits for it; who
 * handed it on gets it back if nothing comes of it.
 */
export function delegate(
  task: Task,
  related: Related,
  command: Of<'delegate'>,
  now: number,
): Decided | DomainError {
  const from = task.assignedTo;
  if (!allows('delegate', task.status) || from === null)
    return conflict(task, 'only a task that an agent holds can be handed on');
  const delegationChain = chainAfter(task.delegationChain, from);
  const refusal = refuseTarget({ from, to: command.to, chain: delegationChain, needs: task }, related.named);
  if (refusal) return refusal;
  const reason = 'delegated';
  const changes = hasRoom(related.agent)
    ? { ...given(task, command.to, now), statusReason: reason }
    : queued(task, reason, now, 0, pinnedFrom(command.to, now));
  return changed(task, 'delegate', 'task.delegated', now, { ...changes, delegationChain, returnTo: from });
}

/** An operator gives a task that waits to an agent; one without room makes it wait there, or is refused. */
export function assignByHand(
  task: Task,
  related: Related,
  { agentId, ifFull }: Of<'assign'>,
  now: number,
): Decided | DomainError {
  if (!allows('assign', task.status)) return conflict(task, 'only a queued task can be assigned');
  if (task.backlogClass === null) return conflict(task, 'it is not available yet');
  const named = candidateFor(task, agentId, related.named);
  if (named instanceof DomainError) return named;
  if (hasRoom(related.agent)) {
    const changes = { ...given(task, agentId, now), statusReason: 'by_hand' };
    return changed(task, 'assign', 'task.assigned', now, changes);
  }
  if (ifFull !== 'pin') return fullRefusal(agentId, related.agent);
  if (task.pinnedTo === agentId) return { outcome: 'unchanged', task };
  const pinned = queued(task, 'pinned', now, 0, pinnedFrom(agentId, now));
  return changed(task, 'pin', 'task.queued', now, { ...pinned, returnTo: null });
}

/**
 * Takes a task from its holder, which neither failed it nor lost it: for one agent, or for whoever can but that one
 * for a while.
 */
export function reassign(
  task: Task,
  related: Related,
  { agentId, from, isUnstarted }: Of<'reassign'>,
  now: number,
): Decided | DomainError {
  const holder = task.assignedTo;
  if (!allows('reassign', task.status) || holder === null)
    return conflict(task, 'only a task that an agent holds can be taken from it');
  if (from !== undefined && from !== holder) return conflict(task, `it is with ${holder} by now`);
  if (isUnstarted && task.status !== 'assigned') return conflict(task, 'its agent works on it by now');
  if (agentId === null) {
    const skippedAgents = skip(task, now);
    return changed(task, 'reassign', 'task.queued', now, {
      ...queued(task, 'reassigned', now, 0),
      skippedAgents,
      returnTo: null,
    });
  }
  if (agentId === holder) return { outcome: 'unchanged', task };
  const named = candidateFor(task, agentId, related.named);
  if (named instanceof DomainError) return named;
  const isFree = hasRoom(related.agent);
  if (isUnstarted && !isFree) return conflict(task, `${agentId} has no room for it by now`);
  const changes = isFree
    ? { ...given(task, agentId, now), statusReason: 'reassigned' }
    : queued(task, 'reassigned', now, 0, pinnedFrom(agentId, now));
  const event = isFree ? 'task.assigned' : 'task.queued';
  return changed(task, 'reassign', event, now, { ...changes, returnTo: null });
}

function hasRoom(agent: AgentUnderLock | undefined): boolean {
  return agent?.status === 'online' && agent.held < agent.capacity;
}

function fullRefusal(id: string, agent: AgentUnderLock | undefined): DomainError {
  if (agent?.status !== 'online')
    return new DomainError('AGENT_NOT_ONLINE', `Agent ${id} is ${agent?.status}; ifFull: "pin" waits for it`);
  const message = `Agent ${id} holds ${agent.held} of ${agent.capacity} tasks; ifFull: "pin" waits for it`;
  return new DomainError('AGENT_AT_CAPACITY', message);
}
