import { DEFAULTS } from '@baton/contracts';
import type { Task } from './task.js';

/** One agent a task waits for, up to a time (milliseconds of the epoch) or for good. */
export type Pinned = { readonly agentId: string; readonly until: number | null };

/** The backlog class of tasks that wait for one agent: no class of needs looks like it. */
export function pinClass(agentId: string): string {
  return `pin:${agentId}`;
}

/** A pin that begins now, for an agent that has no room. */
export function pinnedFrom(agentId: string, now: number): Pinned {
  return { agentId, until: now + DEFAULTS.pinTimeout * 1_000 };
}

/** The pin a task that waits has already. */
export function presentPin(task: Pick<Task, 'pinnedTo' | 'pinnedUntil'>): Pinned | null {
  return task.pinnedTo === null ? null : { agentId: task.pinnedTo, until: task.pinnedUntil };
}

/**
 * The pin a task asks for by its criteria whenever it becomes ready: a requirement stands each time, a preference only
 * the first time, as a task that comes back from an agent need not wait for it again.
 */
export function ownPin(task: Pick<Task, 'criteria' | 'firstQueuedAt'>, readyAt: number): Pinned | null {
  const { pin } = task.criteria;
  if (pin === undefined) return null;
  if (pin.mode === 'require') {
    return { agentId: pin.agentId, until: pin.timeout === undefined ? null : readyAt + pin.timeout * 1_000 };
  }
  if (task.firstQueuedAt !== null) return null;
  return { agentId: pin.agentId, until: readyAt + (pin.timeout ?? DEFAULTS.pinTimeout) * 1_000 };
}

/** Whether the present pin is the task's own requirement, which no other agent can meet. */
export function isRequired({ criteria: { pin }, pinnedTo }: Pick<Task, 'criteria' | 'pinnedTo'>): boolean {
  return pin?.mode === 'require' && pin.agentId === pinnedTo;
}
