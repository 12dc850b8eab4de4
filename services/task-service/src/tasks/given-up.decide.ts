import { DEFAULTS, DomainError } from '@baton/contracts';
import { candidateFor } from './delegation.rules.js';
import { changed, queued } from './outcome.decide.js';
import { pinnedFrom } from './pin.policy.js';
import type { Changed, Related, SkippedAgent, Task, TaskProgression } from './task.js';

type GivenUp = {
  readonly arrow: 'unpin' | 'return' | 'expire' | 'forget' | 'timeout';
  readonly reason: string;
  readonly delayMs: number;
  readonly now: number;
  /** What else changes. */
  readonly also?: Partial<TaskProgression>;
};

/**
 * An agent that had the task, or was waited for, does not do it: back to who handed it on, as far as that one still
 * can, and else to whoever can. Who handed it on is told each time.
 */
export function givenUp(
  before: Task,
  { named }: Pick<Related, 'named'>,
  { arrow, reason, delayMs, now, also = {} }: GivenUp,
): Changed {
  const task = { ...before, ...also };
  const { returnTo } = task;
  if (returnTo === null)
    return changed(before, arrow, 'task.queued', now, { ...also, ...queued(task, reason, now, delayMs) });
  const delegator = candidateFor(task, returnTo, named);
  const canReturn = !(delegator instanceof DomainError) && delegator.status === 'online';
  const earlier = task.delegationChain[task.delegationChain.indexOf(returnTo) - 1] ?? null;
  const changes = canReturn
    ? { ...queued(task, reason, now, delayMs, pinnedFrom(returnTo, now + delayMs)), returnTo: earlier }
    : { ...queued(task, reason, now, delayMs), returnTo: null };
  return changed(before, arrow, 'task.queued', now, { ...also, ...changes }, { tell: [returnTo] });
}

/** The agent that just had the task is passed over for a while; those whose time is over are forgotten. */
export function skip(task: Task, now: number): readonly SkippedAgent[] {
  const kept = task.skippedAgents.filter(({ agentId, until }) => until > now && agentId !== task.assignedTo);
  if (task.assignedTo === null) return kept;
  return [...kept, { agentId: task.assignedTo, until: now + DEFAULTS.skipAgentMs }];
}
