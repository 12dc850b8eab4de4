import { isTerminal, type TaskEventType, type TaskStatus } from '@baton/contracts';

/** One arrow of the life cycle: the command's name, where it may start, where it may end, the event it writes. */
type Arrow = {
  readonly from: readonly TaskStatus[];
  readonly to: readonly TaskStatus[];
  readonly events: readonly TaskEventType[];
  /** Who may issue it. */
  readonly by: string;
};

const HELD = ['assigned', 'in_progress'] as const;
const UNFINISHED = ['created', 'queued', 'assigned', 'in_progress', 'blocked'] as const;

/**
 * The whole life cycle as data: nothing else changes a status. `docs/state-machine.md` is generated from it,
 * `decide` is checked against it on every accepted command, and the property tests walk it.
 */
export const ARROWS = {
  create: { from: [], to: ['queued', 'blocked'], events: ['task.created'], by: 'anyone' },
  ripen: { from: ['queued'], to: ['queued'], events: ['task.queued'], by: 'system' },
  assign: { from: ['queued'], to: ['assigned'], events: ['task.assigned'], by: 'distribution' },
  start: { from: ['assigned'], to: ['in_progress'], events: ['task.started'], by: 'holder' },
  unblock: {
    from: ['blocked'],
    to: ['queued', 'failed'],
    events: ['task.queued', 'task.failed'],
    by: 'system',
  },
  complete: { from: ['in_progress'], to: ['completed'], events: ['task.completed'], by: 'holder' },
  fail: { from: HELD, to: ['queued', 'failed'], events: ['task.queued', 'task.failed'], by: 'holder' },
  return: { from: HELD, to: ['queued'], events: ['task.queued'], by: 'holder' },
  expire: { from: HELD, to: ['queued', 'failed'], events: ['task.queued', 'task.failed'], by: 'system' },
  forget: {
    from: ['in_progress'],
    to: ['queued', 'failed'],
    events: ['task.queued', 'task.failed'],
    by: 'distribution',
  },
  timeout: {
    from: UNFINISHED,
    to: ['queued', 'failed'],
    events: ['task.queued', 'task.failed'],
    by: 'system',
  },
  cancel: {
    from: UNFINISHED,
    to: ['cancelled'],
    events: ['task.cancelled'],
    by: 'creator, operator, system',
  },
} as const satisfies Record<string, Arrow>;

export type ArrowName = keyof typeof ARROWS;

/** Whether the arrow may be taken from a status. */
export function allows(arrow: ArrowName, from: TaskStatus): boolean {
  return (ARROWS[arrow].from as readonly TaskStatus[]).includes(from);
}

/** Whether a task in this status counts against its agent's capacity. */
export function isHeld(status: TaskStatus): boolean {
  return status === 'assigned' || status === 'in_progress';
}

export { isTerminal };
