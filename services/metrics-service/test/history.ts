import {
  isTerminal,
  TASK_STATUSES,
  type TaskEvent,
  type TaskEventType,
  type TaskStatus,
} from '@baton/contracts';
import { taskEvent } from '@baton/testkit';
import fc from 'fast-check';

const NEXT: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  created: ['queued', 'cancelled'],
  queued: ['assigned', 'assigned', 'assigned', 'cancelled'],
  assigned: ['in_progress', 'in_progress', 'queued', 'cancelled'],
  in_progress: ['completed', 'completed', 'failed', 'queued', 'blocked', 'cancelled'],
  blocked: ['queued', 'failed', 'cancelled'],
  completed: [],
  // Reopened.
  failed: ['queued'],
  cancelled: ['queued'],
};

const EVENT_OF: Readonly<Record<TaskStatus, TaskEventType>> = {
  created: 'task.created',
  queued: 'task.queued',
  assigned: 'task.assigned',
  in_progress: 'task.started',
  blocked: 'task.blocked',
  completed: 'task.completed',
  failed: 'task.failed',
  cancelled: 'task.cancelled',
};

export type TaskPlan = {
  readonly id: string;
  readonly type?: string;
  readonly priority?: 1 | 2 | 3 | 4 | 5;
  readonly agent?: string;
  /** Milliseconds of the epoch; now when left out. */
  readonly createdAt?: number;
  /** Milliseconds between two events. */
  readonly stepMs?: number;
};

/** The events of a task that goes through these states, the first of them at its creation. */
export function eventsOf(plan: TaskPlan, path: readonly TaskStatus[]): TaskEvent[] {
  const { id, type = 'task', priority = 3, agent = 'worker', stepMs = 1_000 } = plan;
  const createdAt = plan.createdAt ?? Date.now() - path.length * stepMs;
  let at: Pick<TaskEvent['data'], 'firstQueuedAt' | 'assignedAt' | 'startedAt' | 'completedAt'> = {
    firstQueuedAt: null,
    assignedAt: null,
    startedAt: null,
    completedAt: null,
  };
  let attempt = 0;
  return path.map((status, index) => {
    const time = new Date(createdAt + index * stepMs).toISOString();
    const from = path[index - 1];
    const left =
      (from === 'assigned' || from === 'in_progress') && status !== 'in_progress'
        ? {
            agent,
            assignedAt: at.assignedAt ?? time,
            startedAt: from === 'in_progress' ? at.startedAt : null,
          }
        : undefined;
    if (status === 'queued') {
      at = { firstQueuedAt: at.firstQueuedAt ?? time, assignedAt: null, startedAt: null, completedAt: null };
    }
    if (status === 'assigned') {
      at = { ...at, assignedAt: time };
      attempt += 1;
    }
    if (status === 'in_progress') at = { ...at, startedAt: time };
    if (isTerminal(status)) at = { ...at, completedAt: time };
    return taskEvent(index === 0 ? 'task.created' : EVENT_OF[status], {
      taskId: id,
      time,
      version: index + 1,
      attempt,
      data: {
        status,
        type,
        priority,
        agent: attempt > 0 ? agent : null,
        reason: status === 'queued' && left ? 'returned' : null,
        ...(left === undefined ? {} : { left }),
        retryCount: Math.max(0, attempt - 1),
        createdAt: new Date(createdAt).toISOString(),
        ...at,
        errorCode: status === 'failed' ? 'broken' : null,
      },
    });
  });
}

/** Some tasks, each with the events of a legal life, reopenings included. */
export const histories: fc.Arbitrary<TaskEvent[][]> = fc.array(
  fc
    .record({
      id: fc.uuid({ version: 7 }),
      type: fc.constantFrom('build', 'test'),
      priority: fc.constantFrom<(1 | 2 | 3 | 4 | 5)[]>(1, 3),
      agent: fc.constantFrom('a', 'b', 'c'),
      stepMs: fc.integer({ min: 1, max: 5_000 }),
      choices: fc.array(fc.nat(11), { maxLength: 12 }),
    })
    .map(({ choices, ...plan }) => eventsOf(plan, pathOf(choices))),
  { minLength: 1, maxLength: 12 },
);

/** The same events in any order, some of them several times, cut into parts. */
export function scattered(events: readonly TaskEvent[]): fc.Arbitrary<TaskEvent[][]> {
  return fc
    .tuple(
      fc.shuffledSubarray([...events], { minLength: events.length }),
      fc.array(fc.constantFrom(...events), { maxLength: 10 }),
      fc.integer({ min: 1, max: 10 }),
    )
    .chain(([once, again, size]) =>
      fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length }).map((all) => {
        const parts: TaskEvent[][] = [];
        for (let from = 0; from < all.length; from += size) parts.push(all.slice(from, from + size));
        return parts;
      }),
    );
}

function pathOf(choices: readonly number[]): TaskStatus[] {
  const path: TaskStatus[] = ['queued'];
  for (const choice of choices) {
    const next = NEXT[path.at(-1) ?? 'queued'];
    const chosen = next[choice % Math.max(1, next.length)];
    if (chosen === undefined) break;
    path.push(chosen);
  }
  return path;
}

/** Every status with 0, but for those given. */
export function states(some: Partial<Record<TaskStatus, number>>): Record<TaskStatus, number> {
  const none = Object.fromEntries(TASK_STATUSES.map((status) => [status, 0])) as Record<TaskStatus, number>;
  return { ...none, ...some };
}
