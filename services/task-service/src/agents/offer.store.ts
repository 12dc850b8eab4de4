import type { Assignment, Decision, JsonValue, OfferedTask, PreviousAttempt } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import { findQuestions } from '../tasks/relatives.store.js';
import { iso, isoOrNull } from '../tasks/task.events.js';
import { loadChildResults, loadDependencyResults } from './results.store.js';

/** An assignment to be offered, as far as the process that committed it knows it. */
export type OfferTarget = {
  readonly taskId: string;
  readonly attempt: number;
  readonly decision: Decision | null;
};

export type LoadedOffer = {
  readonly agentId: string;
  readonly epoch: number;
  readonly isStarted: boolean;
  readonly assignment: Assignment;
};

type OfferRow = Omit<OfferedTask, 'deadline'> & {
  deadline: number | null;
  attempt: number;
  agentId: string;
  epoch: number;
  isStarted: boolean;
  hasDependencies: boolean;
  hasChildren: boolean;
};

/**
 * Reads what the agents named by the tasks need to work on them. Tasks that are not held with the attempt given any
 * more are left out: they were offered for an assignment that is over. Six statements whatever the number of
 * tasks, five of them only for tasks with dependencies, children or earlier attempts.
 */
export async function loadOffers(
  db: Queryable,
  targets: readonly OfferTarget[],
): Promise<readonly LoadedOffer[]> {
  const { rows } = await db.query<OfferRow>({
    name: 'load-offers',
    text: `SELECT t.id, t.title, t.description, t.type, t.priority, t.tags, t.metadata, t.input, t.context,
        t.created_by AS "createdBy", t.parent_task_id AS "parentTaskId", t.root_task_id AS "rootTaskId",
        t.deadline, t.timeout, t.traceparent, t.attempt, t.assigned_to AS "agentId", a.epoch,
        t.status = 'in_progress' AS "isStarted",
        EXISTS (SELECT 1 FROM task_dependencies d WHERE d.task_id = t.id) AS "hasDependencies",
        EXISTS (SELECT 1 FROM tasks c WHERE c.parent_task_id = t.id) AS "hasChildren"
      FROM unnest($1::uuid[], $2::int[]) AS u(id, attempt)
      JOIN tasks t ON t.id = u.id AND t.attempt = u.attempt AND t.status IN ('assigned','in_progress')
      JOIN agents a ON a.id = t.assigned_to`,
    values: [pgArray(targets.map(({ taskId }) => taskId)), pgArray(targets.map(({ attempt }) => attempt))],
  });
  const idsOf = (matches: (row: OfferRow) => boolean) => rows.filter(matches).map(({ id }) => id);
  const results = await loadDependencyResults(
    db,
    idsOf(({ hasDependencies }) => hasDependencies),
  );
  const children = await loadChildResults(
    db,
    idsOf(({ hasChildren }) => hasChildren),
  );
  const again = rows.filter(({ attempt }) => attempt > 1);
  const attempts = await loadAttempts(db, again);
  const againIds = again.map(({ id }) => id);
  const questions = await findQuestions(db, againIds);
  const checkpoints = await loadCheckpoints(db, againIds);
  const decisions = new Map(targets.map(({ taskId, decision }) => [taskId, decision]));
  return rows.map(
    ({ attempt, agentId, epoch, isStarted, hasDependencies, hasChildren, deadline, ...task }) => ({
      agentId,
      epoch,
      isStarted,
      assignment: {
        task: { ...task, deadline: isoOrNull(deadline) },
        attempt,
        decision: decisions.get(task.id) ?? null,
        dependencyResults: hasDependencies ? (results.get(task.id) ?? []) : [],
        childResults: hasChildren ? (children.get(task.id) ?? []) : [],
        questions: questions.get(task.id) ?? [],
        previousAttempts: attempts.get(task.id) ?? [],
        ...checkpoints.get(task.id),
      },
    }),
  );
}

type AttemptRow = Omit<PreviousAttempt, 'endedAt'> & { taskId: string; endedAt: number };

/** How earlier attempts ended. O(events of the task). */
async function loadAttempts(
  db: Queryable,
  tasks: readonly { readonly id: string }[],
): Promise<ReadonlyMap<string, readonly PreviousAttempt[]>> {
  const byTask = new Map<string, PreviousAttempt[]>();
  if (tasks.length === 0) return byTask;
  const { rows } = await db.query<AttemptRow>({
    name: 'load-attempts',
    // What moved the holder, each with the next: an attempt ends where the task goes to nobody, or to somebody else.
    text: `SELECT * FROM (
        SELECT e.task_id AS "taskId", e.attempt, e.event_data->'changes'->>'assignedTo' AS "agentId",
          lead(coalesce(e.reason, '')) OVER w AS reason, lead(e.created_at) OVER w AS "endedAt",
          lead(e.event_data->'changes'->'error') OVER w AS error,
          (SELECT s.traceparent FROM task_events s WHERE s.task_id = e.task_id AND s.attempt = e.attempt
            AND s.event_type = 'task.started' ORDER BY s.version LIMIT 1) AS traceparent
        FROM unnest($1::uuid[]) AS u(id)
        JOIN task_events e ON e.task_id = u.id AND e.event_data->'changes'->'assignedTo' IS NOT NULL
        WINDOW w AS (PARTITION BY e.task_id ORDER BY e.version)) moved
      WHERE "agentId" IS NOT NULL AND "endedAt" IS NOT NULL ORDER BY "taskId", attempt`,
    values: [pgArray(tasks.map(({ id }) => id))],
  });
  for (const { taskId, endedAt, ...rest } of rows) {
    const list = byTask.get(taskId) ?? [];
    byTask.set(taskId, list);
    list.push({ ...rest, endedAt: iso(endedAt) });
  }
  return byTask;
}

/** What earlier attempts left to go on from. */
async function loadCheckpoints(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, { readonly checkpoint: JsonValue }>> {
  if (ids.length === 0) return new Map();
  const { rows } = await db.query<{ id: string; checkpoint: JsonValue }>({
    name: 'load-checkpoints',
    text: `SELECT task_id AS id, value AS checkpoint FROM task_checkpoints
      WHERE task_id = ANY($1::uuid[]) AND value::text <> 'null'`,
    values: [pgArray(ids)],
  });
  return new Map(rows.map(({ id, checkpoint }) => [id, { checkpoint }]));
}

/** The decisions behind present assignments, for offers made again. */
export async function loadDecisions(
  db: Queryable,
  targets: readonly { readonly taskId: string; readonly attempt: number }[],
): Promise<readonly OfferTarget[]> {
  const { rows } = await db.query<OfferTarget>({
    name: 'load-decisions',
    text: `SELECT u.id AS "taskId", u.attempt, e.event_data->'decision' AS decision
      FROM unnest($1::uuid[], $2::int[]) AS u(id, attempt)
      LEFT JOIN task_events e ON e.task_id = u.id AND e.attempt = u.attempt AND e.event_type = 'task.assigned'`,
    values: [pgArray(targets.map(({ taskId }) => taskId)), pgArray(targets.map(({ attempt }) => attempt))],
  });
  return rows;
}

/** Writes down that an offer was answered: from now on only `startTimeout` runs. Bookkeeping, no version. */
export async function acceptOffers(
  db: Queryable,
  targets: readonly { readonly taskId: string; readonly attempt: number }[],
): Promise<void> {
  await db.query({
    name: 'accept-offers',
    // In order of id, and none that a batch is just working on: a bookkeeping write must not wait in a cycle.
    text: `WITH answered AS MATERIALIZED (
        SELECT t.id FROM unnest($1::uuid[], $2::int[]) AS u(id, attempt)
        JOIN tasks t ON t.id = u.id AND t.attempt = u.attempt AND t.status = 'assigned' AND t.offer_accepted_at IS NULL
        ORDER BY t.id FOR NO KEY UPDATE OF t SKIP LOCKED)
      UPDATE tasks t SET offer_accepted_at = clock_timestamp(),
        due_at = t.assigned_at + make_interval(secs => t.start_timeout)
      FROM answered WHERE t.id = answered.id`,
    values: [pgArray(targets.map(({ taskId }) => taskId)), pgArray(targets.map(({ attempt }) => attempt))],
  });
}
