import type { Bus } from '@baton/bus';
import { agentSubject, HINT_SUBJECTS, type Control, type SlotsHint } from '@baton/contracts';
import type { ArrowName } from '../tasks/task.state.js';
import type { CommitListener, Committed } from '../write-path/submission.js';

/**
 * What others should hear at once but need not: slots taken and freed for the distributors, and to an agent that its
 * task was taken away. Loss is healed by snapshots and by the fence.
 */
export class HintService implements Pick<CommitListener, 'committed'> {
  constructor(private readonly bus: Bus) {}

  committed(changes: readonly Committed[]): void {
    const slots = changes.flatMap(slotChanges);
    if (slots.length > 0) this.bus.publishHint(HINT_SUBJECTS.slots, slots);
    for (const change of changes) {
      const control = controlOf(change);
      if (control) this.bus.publishHint(agentSubject.control(control.agentId), control.message);
    }
  }
}

function slotChanges({ before, after }: Committed): SlotsHint {
  const had = before?.assignedTo ?? null;
  const has = after.assignedTo;
  if (had === has) return [];
  const { id: taskId, attempt, version } = after;
  const freed = had === null ? [] : [{ taskId, attempt, version, agentId: had, held: false }];
  return has === null ? freed : [...freed, { taskId, attempt, version, agentId: has, held: true }];
}

/** Arrows that take a task away from an agent that did not ask for it. */
const TAKING: ReadonlySet<ArrowName> = new Set([
  'cancel',
  'delegate',
  'expire',
  'forget',
  'reassign',
  'stop',
  'timeout',
]);

function controlOf({ before, after, arrow }: Committed): { agentId: string; message: Control } | undefined {
  const agentId = before?.assignedTo;
  if (before === undefined || agentId === null || agentId === undefined) return undefined;
  if (!TAKING.has(arrow)) return undefined;
  const type = arrow === 'cancel' ? 'cancel' : 'revoke';
  return {
    agentId,
    message: { type, taskId: after.id, attempt: before.attempt, reason: after.statusReason },
  };
}
