import type { LifeSpan, TaskTrace } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { FIRST_ID } from '../write-path/pages.js';
import type { ListedTask } from '../tasks/list.store.js';
import { pageChildren, type Anchor } from '../tasks/relatives.store.js';
import { iso, isoOrNull } from '../tasks/task.events.js';
import { findEvents, findTask } from '../tasks/task.reader.store.js';
import { taskNotFound } from '../tasks/task.reading.service.js';
import { createLife, type Life, type Span } from './life.fold.js';

const PAGE = 500;
const MAX_EVENTS = 5_000;
const MAX_CHILDREN = 200;

/** Lives of tasks as spans, of their histories alone: there is nothing to switch on, and archived ones have one too. */
export class TraceService {
  constructor(private readonly pool: Pool) {}

  /** O(changes of the task), as far as they are shown. */
  async of(id: string): Promise<TaskTrace> {
    const task = await findTask(this.pool, id);
    if (task === undefined) throw taskNotFound(id);
    const [{ life, isWhole }, children] = await Promise.all([this.life(id), this.children(task)]);
    const { parentTaskId, rootTaskId, status, traceparent } = task;
    const spans = [
      ...life.spans.map((span) => toLifeSpan(id, span)),
      ...children.slice(0, MAX_CHILDREN).map(toChildSpan),
    ];
    return {
      taskId: id,
      parentTaskId,
      rootTaskId,
      traceId: traceparent?.split('-')[1] ?? null,
      status: life.task()?.status ?? status,
      spans: spans.toSorted((one, other) => Date.parse(one.startedAt) - Date.parse(other.startedAt)),
      truncated: !isWhole || children.length > MAX_CHILDREN,
    };
  }

  private async life(id: string): Promise<{ readonly life: Life; readonly isWhole: boolean }> {
    const life = createLife();
    for (let read = 0; read < MAX_EVENTS;) {
      const events = await findEvents(this.pool, id, read, PAGE);
      for (const { version, type, at, reason, data } of events)
        life.follow({ version, type, at, reason, changes: data.changes });
      read = events.at(-1)?.version ?? read;
      if (events.length < PAGE) return { life, isWhole: true };
    }
    return { life, isWhole: false };
  }

  private children(task: Anchor): Promise<readonly ListedTask[]> {
    return pageChildren(this.pool, task, { after: FIRST_ID, limit: MAX_CHILDREN + 1 });
  }
}

function toLifeSpan(taskId: string, { startedAt, endedAt, ...span }: Span): LifeSpan {
  return { ...span, startedAt: iso(startedAt), endedAt: isoOrNull(endedAt), taskId };
}

function toChildSpan({
  id,
  title,
  status,
  statusReason,
  attempt,
  assignedTo,
  createdAt,
  completedAt,
}: ListedTask): LifeSpan {
  return {
    id: `child-${id}`,
    parentId: 'task',
    kind: 'child',
    name: title,
    startedAt: iso(createdAt),
    endedAt: isoOrNull(completedAt),
    outcome: completedAt === null ? null : status,
    reason: statusReason,
    attempt,
    agent: assignedTo,
    taskId: id,
    links: [],
  };
}
