import { DomainError, type Decision } from '@baton/contracts';
import { assignByHand, delegate, reassign } from './delegation.decide.js';
import { link, unlink } from './edges.decide.js';
import { due, expire, fail, failedBySystem, forget, unpin } from './failure.decide.js';
import { givenUp } from './given-up.decide.js';
import { changed, conflict, ended, given, stale } from './outcome.decide.js';
import { answer, block, unblock } from './waits.decide.js';
import { release, remove, reopen } from './release.decide.js';
import { allows, isHeld, isTerminal, type Fence, type TaskCommand } from './task.state.js';
import type { Changed, Decided, Related, Task } from './task.js';
import { update } from './update.decide.js';

/**
 * Decides one command on an existing task: the task after it with the one event of its new version, "nothing to
 * change", or a refusal. Pure: `now` (milliseconds) is read from the database's clock after all locks, and is
 * raised to the task's own latest change so that its times never run backwards.
 */
export function decide(
  task: Task,
  related: Related,
  command: TaskCommand,
  now: number,
): Decided | DomainError {
  const at = Math.max(now, task.updatedAt);
  switch (command.kind) {
    case 'assign':
      return command.decision === null
        ? assignByHand(task, related, command, at)
        : assign(task, related, command, command.decision, at);
    case 'start':
      return refuseStale(task, related, command.fence) ?? start(task, command.fence, at);
    case 'complete':
      return refuseStale(task, related, command.fence) ?? complete(task, command, at);
    case 'fail':
      return refuseStale(task, related, command.fence) ?? fail(task, 'fail', command.error, at);
    case 'return':
      return refuseStale(task, related, command.fence) ?? giveBack(task, related, command.reason, at);
    case 'delegate':
      return refuseStale(task, related, command.fence) ?? delegate(task, related, command, at);
    case 'reassign':
      return reassign(task, related, command, at);
    case 'unpin':
      return command.onlyHandedOn && task.returnTo === null
        ? { outcome: 'unchanged', task }
        : unpin(task, related, command.reason, at);
    case 'stop':
      return stop(task, command.reason, at);
    case 'expire':
      return expire(task, related, command, at);
    case 'forget':
      return forget(task, related, command, at);
    case 'update':
      return update(task, related, command, at);
    case 'reopen':
      return reopen(task, related, command, at);
    case 'delete':
      return remove(task, related, at);
    case 'release':
      return release(task, related, at);
    case 'cancel':
      return cancel(task, command.reason, at);
    case 'unblock':
      return unblock(task, related, command.told, at);
    case 'link':
      return link(task, related, command, at);
    case 'unlink':
      return unlink(task, related, command.dependsOn, at);
    case 'block':
      return refuseStale(task, related, command.fence) ?? block(task, related, command.block, at);
    case 'answer':
      return answer(task, command, at);
    case 'due':
      return due(task, related, at);
  }
}

/**
 * The order of refusals is a promise to agents: ended, then another agent's or attempt's task, then another
 * process of the same agent, then no longer held. Only after that the table of arrows speaks.
 */
export function refuseStale(
  task: Task,
  related: Pick<Related, 'liveEpoch'>,
  fence: Fence,
): DomainError | undefined {
  if (isTerminal(task.status)) return conflict(task, 'it has ended');
  if (task.lastAgentId !== fence.agentId || task.attempt !== fence.attempt) {
    return stale('STALE_ATTEMPT', task, `attempt ${fence.attempt} of ${fence.agentId}`);
  }
  // Until `start` binds the task to an epoch, the live epoch of its agent is the one that may speak for it.
  const holder = task.holderEpoch ?? (isHeld(task.status) ? related.liveEpoch : fence.epoch);
  if (holder !== fence.epoch) {
    return stale('STALE_SESSION', task, `epoch ${fence.epoch}; the live one is ${holder ?? 'none'}`);
  }
  if (!isHeld(task.status)) return stale('STALE_ATTEMPT', task, 'a task that was given to nobody since');
  return undefined;
}

function assign(
  task: Task,
  related: Related,
  command: Extract<TaskCommand, { kind: 'assign' }>,
  decision: Decision,
  now: number,
): Decided | DomainError {
  if (!allows('assign', task.status)) return conflict(task, 'only a queued task can be assigned');
  if (task.backlogClass === null) return conflict(task, 'it is not available yet');
  if (task.pinnedTo !== null && task.pinnedTo !== command.agentId)
    return conflict(task, `it waits for agent ${task.pinnedTo}`);
  if (related.heldBack !== undefined) return related.heldBack;
  const agent = related.agent;
  if (agent === undefined)
    return new DomainError('AGENT_NOT_FOUND', `No agent ${command.agentId} is registered`);
  if (agent.status !== 'online') {
    return new DomainError('AGENT_NOT_ONLINE', `Agent ${agent.id} is ${agent.status}; expected online`);
  }
  if (agent.held >= agent.capacity) {
    return new DomainError(
      'AGENT_AT_CAPACITY',
      `Agent ${agent.id} holds ${agent.held} of ${agent.capacity} tasks`,
    );
  }
  const changes = given(task, agent.id, now);
  return changed(task, 'assign', 'task.assigned', now, changes, { detail: { decision } });
}

function start(task: Task, fence: Fence, now: number): Decided | DomainError {
  // Repeated by the process that started it: the answer was lost, not the task.
  if (task.status === 'in_progress') return { outcome: 'unchanged', task };
  return changed(task, 'start', 'task.started', now, {
    status: 'in_progress',
    statusReason: null,
    holderEpoch: fence.epoch,
    handoverCount: 0,
    startedAt: now,
  });
}

function complete(
  task: Task,
  { result, refusal }: Extract<TaskCommand, { kind: 'complete' }>,
  now: number,
): Decided | DomainError {
  if (!allows('complete', task.status)) return conflict(task, 'start it first');
  if (refusal !== undefined) return refusal;
  return changed(
    task,
    'complete',
    'task.completed',
    now,
    { ...ended('completed', null, task, now), error: null },
    {
      result,
    },
  );
}

function giveBack(task: Task, related: Related, reason: 'draining' | 'declined', now: number): Changed {
  const declined = reason === 'declined' && task.assignedTo !== null ? [task.assignedTo] : [];
  const also = { excludedAgents: [...new Set([...task.excludedAgents, ...declined])] };
  return givenUp(task, related, { arrow: 'return', reason: 'returned', delayMs: 0, now, also });
}

function stop(task: Task, message: string, now: number): Decided | DomainError {
  if (!allows('stop', task.status)) return conflict(task, 'only running work can be stopped');
  return failedBySystem(task, 'stop', 'budget_exceeded', message, {}, now);
}

function cancel(task: Task, reason: string, now: number): Decided | DomainError {
  if (!allows('cancel', task.status)) return conflict(task, 'it has ended');
  return changed(task, 'cancel', 'task.cancelled', now, ended('cancelled', reason, task, now));
}
