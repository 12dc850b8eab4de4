import { isTerminal, TASK_STATUSES, TERMINAL_STATUSES } from '@baton/contracts';
import type {
  Action,
  Block,
  Decision,
  DependencyPolicy,
  DomainError,
  IfFull,
  JsonValue,
  TaskError,
  TaskEventType,
  TaskStatus,
} from '@baton/contracts';
import type { ReopenCommand, UpdateCommand } from './task.changes.js';

/** One arrow of the life cycle: where it may start, where it may end, the event it writes. */
type Arrow = {
  readonly from: readonly TaskStatus[];
  readonly to: readonly TaskStatus[];
  readonly events: readonly TaskEventType[];
  /** Where it may end from these states: fewer than elsewhere. */
  readonly fewer?: Readonly<Partial<Record<TaskStatus, readonly TaskStatus[]>>>;
};

/** Who may issue an arrow stands in `ACCESS`, so each has an entry there. */
type Issued = Action extends infer Name ? (Name extends `task.${infer Word}` ? Word : never) : never;

const HELD = ['assigned', 'in_progress'] as const;
const REMOVABLE = ['created', ...TERMINAL_STATUSES] as const;
const UNFINISHED = TASK_STATUSES.filter((status) => !isTerminal(status));

/**
 * The whole life cycle as data: nothing else changes a status. `docs/state-machine.md` is generated from it,
 * `decide` is checked against it on every accepted command, and the property tests walk it.
 */
export const ARROWS = {
  create: { from: [], to: ['created', 'queued', 'blocked'], events: ['task.created'] },
  release: {
    from: ['created'],
    to: ['queued', 'blocked'],
    events: ['task.queued', 'task.blocked'],
  },
  update: {
    from: UNFINISHED,
    to: UNFINISHED,
    events: ['task.updated'],
  },
  reopen: {
    from: ['failed', 'cancelled'],
    to: ['queued', 'blocked'],
    events: ['task.queued', 'task.blocked'],
  },
  delete: {
    from: REMOVABLE,
    to: REMOVABLE,
    events: ['task.deleted'],
  },
  ripen: { from: ['queued'], to: ['queued'], events: ['task.queued'] },
  assign: { from: ['queued'], to: ['assigned'], events: ['task.assigned'] },
  pin: { from: ['queued'], to: ['queued'], events: ['task.queued'] },
  unpin: { from: ['queued'], to: ['queued'], events: ['task.queued'] },
  reassign: {
    from: HELD,
    to: ['queued', 'assigned'],
    events: ['task.queued', 'task.assigned'],
  },
  start: { from: ['assigned'], to: ['in_progress'], events: ['task.started'] },
  link: {
    from: ['created', 'queued', 'blocked'],
    to: ['created', 'queued', 'blocked'],
    events: ['task.updated', 'task.blocked', 'task.queued'],
    fewer: { created: ['created'], queued: ['queued', 'blocked'], blocked: ['blocked', 'queued'] },
  },
  unlink: {
    from: ['created', 'queued', 'blocked'],
    to: ['created', 'queued', 'blocked'],
    events: ['task.updated', 'task.blocked', 'task.queued'],
    fewer: { created: ['created'], queued: ['queued', 'blocked'], blocked: ['blocked', 'queued'] },
  },
  block: { from: HELD, to: ['blocked'], events: ['task.blocked'] },
  unblock: {
    from: ['blocked'],
    to: ['queued', 'failed', 'cancelled'],
    events: ['task.queued', 'task.failed', 'task.cancelled'],
  },
  answer: {
    from: ['blocked'],
    to: ['queued', 'failed'],
    events: ['task.queued', 'task.failed'],
  },
  delegate: {
    from: HELD,
    to: ['assigned', 'queued'],
    events: ['task.delegated'],
  },
  complete: { from: ['in_progress'], to: ['completed'], events: ['task.completed'] },
  fail: { from: HELD, to: ['queued', 'failed'], events: ['task.queued', 'task.failed'] },
  return: { from: HELD, to: ['queued'], events: ['task.queued'] },
  stop: { from: HELD, to: ['failed'], events: ['task.failed'] },
  expire: { from: HELD, to: ['queued', 'failed'], events: ['task.queued', 'task.failed'] },
  forget: {
    from: ['in_progress'],
    to: ['queued', 'failed'],
    events: ['task.queued', 'task.failed'],
  },
  timeout: {
    from: UNFINISHED,
    to: ['queued', 'failed'],
    events: ['task.queued', 'task.failed'],
    fewer: { created: ['failed'], queued: ['failed'], blocked: ['failed'] },
  },
  cancel: {
    from: UNFINISHED,
    to: ['cancelled'],
    events: ['task.cancelled'],
  },
} as const satisfies Partial<Record<Issued, Arrow>>;

export type ArrowName = keyof typeof ARROWS;

/** Where an arrow may lead from a state. */
export function endsOf(name: ArrowName, from: TaskStatus): readonly TaskStatus[] {
  const { to, fewer = {} }: Arrow = ARROWS[name];
  return LOOPS.has(name) ? [from] : (fewer[from] ?? to);
}

/** The events an arrow may write. */
export type EventOf<Name extends ArrowName> = (typeof ARROWS)[Name]['events'][number];

/** Arrows that lead from each state to itself alone. */
export const LOOPS: ReadonlySet<ArrowName> = new Set(['update', 'delete']);

/** What an agent must hold for its word about a task to count. */
export type Fence = { readonly agentId: string; readonly attempt: number; readonly epoch: number };

/** A change of one existing task: what takes an arrow, with what it must know. */
export type TaskCommand =
  | {
      readonly kind: 'assign';
      readonly taskId: string;
      readonly agentId: string;
      /** Null: an operator names the agent. */
      readonly decision: Decision | null;
      /** What happens where an agent an operator names has no room. */
      readonly ifFull?: IfFull;
      /** Something may be held back of the type: paused, or as many held as may be. */
      readonly mayBeHeldBack?: boolean;
    }
  | {
      readonly kind: 'delegate';
      readonly taskId: string;
      readonly to: string;
      readonly fence: Fence;
    }
  | {
      readonly kind: 'reassign';
      readonly taskId: string;
      /** Null: whoever can, the present holder passed over for a while. */
      readonly agentId: string | null;
      /** Only if this agent holds it. */
      readonly from?: string;
      /** Only while nobody works on it. */
      readonly isUnstarted?: boolean;
    }
  | {
      readonly kind: 'unpin';
      readonly taskId: string;
      readonly reason: string;
      /** One that waits for an agent because it asks for it goes on waiting. */
      readonly onlyHandedOn?: boolean;
    }
  /** The budget of its tree is spent; the reason is told. */
  | { readonly kind: 'stop'; readonly taskId: string; readonly reason: string }
  | { readonly kind: 'start'; readonly taskId: string; readonly fence: Fence }
  | {
      readonly kind: 'complete';
      readonly taskId: string;
      readonly fence: Fence;
      readonly result: JsonValue;
      /** The type of the task does not take this result. */
      readonly refusal?: DomainError;
    }
  | { readonly kind: 'fail'; readonly taskId: string; readonly fence: Fence; readonly error: TaskError }
  | {
      readonly kind: 'return';
      readonly taskId: string;
      readonly fence: Fence;
      readonly reason: 'draining' | 'declined';
    }
  /** The holder of this attempt is gone: its epoch is `deadEpoch` or older, or it never started. */
  | {
      readonly kind: 'expire';
      readonly taskId: string;
      readonly agentId: string;
      readonly attempt: number;
      readonly deadEpoch: number;
    }
  /** Its holder lives and works on at this version of it no more: its beats leave it out. */
  | {
      readonly kind: 'forget';
      readonly taskId: string;
      readonly agentId: string;
      readonly epoch: number;
      readonly attempt: number;
      readonly version: number;
    }
  | { readonly kind: 'release'; readonly taskId: string }
  | ReopenCommand
  | { readonly kind: 'delete'; readonly taskId: string }
  | UpdateCommand
  | { readonly kind: 'cancel'; readonly taskId: string; readonly reason: string }
  /** `told`: somebody says that what the task waits for outside of Baton has happened. */
  | { readonly kind: 'unblock'; readonly taskId: string; readonly told?: { readonly answer: JsonValue } }
  | {
      readonly kind: 'link';
      readonly taskId: string;
      readonly dependsOn: string;
      readonly policy: DependencyPolicy;
      readonly name: string | null;
    }
  | { readonly kind: 'unlink'; readonly taskId: string; readonly dependsOn: string }
  | { readonly kind: 'block'; readonly taskId: string; readonly fence: Fence; readonly block: Block }
  | {
      readonly kind: 'answer';
      readonly taskId: string;
      /** Nothing: there is none, for that reason. */
      readonly answer: { readonly value: JsonValue } | { readonly denied: string };
      /** The attempt that asked, where the one who answers says so. */
      readonly attempt?: number;
    }
  /** A timer found `dueAt` passed: does whatever is due. */
  | { readonly kind: 'due'; readonly taskId: string };

/** Whether the arrow may be taken from a status. */
export function allows(arrow: ArrowName, from: TaskStatus): boolean {
  return (ARROWS[arrow].from as readonly TaskStatus[]).includes(from);
}

/** Whether a task in this status counts against its agent's capacity. */
export function isHeld(status: TaskStatus): boolean {
  return status === 'assigned' || status === 'in_progress';
}

export { isTerminal };
