import type { Bus } from '@baton/bus';
import {
  DomainError,
  SERVICE_SUBJECTS,
  explainAnswer,
  isTerminal,
  parse,
  type Actor,
  type CreatedTask,
  type CreateGraph,
  type CreateTask,
  type Decision,
  type DecisionView,
  type ListTasks,
  type TaskDetail,
  type TaskHistoryEntry,
  type TaskView,
  type Waiting,
} from '@baton/contracts';
import type { Pool } from '../database/database.js';
import type { Idempotency, Settled } from '../write-path/submission.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { Cursors } from './cursor.js';
import { toNewTask, toNewTasks } from './new-task.js';
import { iso, toNeeds } from './task.events.js';
import { replay, type Changes } from './task.fold.js';
import * as reader from './task.reader.store.js';
import type { Accepted, CreateCommand, NewTask, TaskDescription } from './task.js';
import { toView } from './task.view.js';

/** Who asks, and what came with the request. */
export type Caller = {
  readonly actor: Actor;
  readonly traceparent: string | null;
  readonly idempotency?: Idempotency;
  /** Rough size of the request. */
  readonly bytes: number;
};

export type Parent = NonNullable<CreateCommand['parent']>;
export type Page<T> = {
  readonly data: readonly T[];
  readonly page: { readonly next: string | null; readonly hasMore: boolean };
};

const EXPLAIN_MS = 1_000;
const HISTORY_PAGE = 500;

/** Use cases on tasks, the same behind HTTP and NATS. */
export class TaskService {
  constructor(
    private readonly pool: Pool,
    private readonly writePath: WritePath,
    private readonly bus: Bus,
    private readonly cursors: Cursors,
    private readonly mintId: () => string,
  ) {}

  /** Creates one task, and answers it as it was created also when the request is repeated with its key. */
  async create(
    task: CreateTask,
    caller: Caller,
  ): Promise<{ readonly view: TaskView; readonly replayed: boolean }> {
    const definition = toNewTask(task, this.mintId);
    const outcome = await this.writePath.execute(submission({ kind: 'create', tasks: [definition] }, caller));
    const [created] = outcome.tasks;
    if (created !== undefined)
      return { view: toView({ ...created, ...descriptionOf(definition) }), replayed: false };
    return { view: await this.asCreated(outcome.accepted[0]?.taskId ?? ''), replayed: true };
  }

  /** Creates tasks each on its own; answers are in the order given, refusals among them. */
  createEach(tasks: readonly CreateTask[], caller: Caller): Promise<readonly Settled[]> {
    const bytes = Math.ceil(caller.bytes / Math.max(1, tasks.length));
    return Promise.all(
      tasks.map((task, index) => {
        const { idempotency } = caller;
        // The key of the batch stands for each of its tasks in its place.
        const own = idempotency && { ...idempotency, key: `${idempotency.key}#${index}` };
        const command = { kind: 'create', tasks: [toNewTask(task, this.mintId)] } as const;
        return this.writePath.submit(
          submission(command, { ...caller, bytes, ...(own ? { idempotency: own } : {}) }),
        );
      }),
    );
  }

  /** Creates all of the tasks or none. */
  createAll(tasks: readonly CreateTask[], caller: Caller, parent?: Parent) {
    return this.createTogether(
      tasks.map((task) => toNewTask(task, this.mintId)),
      caller,
      parent,
    );
  }

  /** Creates a graph, all or nothing, refused before anything is written when it has a cycle. */
  createGraph(graph: CreateGraph, caller: Caller, parent?: Parent) {
    return this.createTogether(toNewTasks(graph, this.mintId), caller, parent);
  }

  async get(id: string): Promise<TaskDetail> {
    const task = await reader.findTask(this.pool, id);
    if (task === undefined) throw notFound(id);
    const dependencies = await reader.findDependenciesOf(this.pool, id);
    const { input, context, result, progress } = task;
    return {
      ...toView(task),
      input,
      context,
      result,
      progress: progress && { ...progress, at: iso(progress.at) },
      dependencies,
    };
  }

  async list({ cursor, ...query }: ListTasks): Promise<Page<TaskView>> {
    const after = cursor === undefined ? undefined : this.cursors.decode(cursor);
    const tasks = await reader.listTasks(this.pool, query, after);
    const data = tasks.slice(0, query.limit);
    const last = data.at(-1);
    const hasMore = tasks.length > query.limit;
    return {
      data: data.map(toView),
      page: { next: hasMore && last ? this.cursors.encode(last.id) : null, hasMore },
    };
  }

  /** Calls a task off; its children that are not detached follow. */
  async cancel(
    id: string,
    reason: string,
    caller: Caller,
  ): Promise<{ readonly accepted: Accepted; readonly replayed: boolean }> {
    const outcome = await this.writePath.execute(submission({ kind: 'cancel', taskId: id, reason }, caller));
    const [accepted] = outcome.accepted;
    if (accepted === undefined) throw notFound(id);
    return { accepted, replayed: outcome.replayed };
  }

  async history(id: string, after: number): Promise<readonly TaskHistoryEntry[]> {
    const events = await reader.findEvents(this.pool, id, after, HISTORY_PAGE);
    if (events.length === 0 && (await reader.findTask(this.pool, id)) === undefined) throw notFound(id);
    return events.map(({ at, data, ...event }) => ({ ...event, at: iso(at), data }));
  }

  /** Why the task is with its agent, or why it is with nobody. */
  async decision(id: string): Promise<DecisionView> {
    const task = await reader.findTask(this.pool, id);
    if (task === undefined) throw notFound(id);
    const assignment = task.attempt === 0 ? undefined : await reader.findAssignment(this.pool, id);
    return {
      taskId: id,
      status: task.status,
      attempt: task.attempt,
      decision: (assignment?.data.decision as Decision | undefined) ?? null,
      waiting: await this.waiting(task),
    };
  }

  /** Whether the agent works on a task that depends on this one. */
  holdsDependentOf(agentId: string, id: string): Promise<boolean> {
    return reader.holdsDependentOf(this.pool, agentId, id);
  }

  private async waiting(task: reader.FoundTask): Promise<Waiting | null> {
    if (task.assignedTo !== null) return null;
    if (isTerminal(task.status)) {
      return { reason: 'ENDED', evidence: { status: task.status }, nextStep: 'Nothing: the task has ended' };
    }
    if (task.status === 'blocked') {
      const dependencies = await reader.findDependenciesOf(this.pool, task.id);
      const unmet = dependencies.filter(({ status }) => status !== 'completed');
      const nextStep = 'It becomes ready when these tasks complete';
      return { reason: 'BLOCKED_BY_DEPENDENCY', evidence: { unmet }, nextStep };
    }
    if (task.availableAt !== null) {
      const reason = task.attempt > 0 ? 'BACKOFF' : 'DELAYED_UNTIL';
      return {
        reason,
        evidence: { availableAt: iso(task.availableAt) },
        nextStep: 'It becomes ready at that time',
      };
    }
    return this.explain(task);
  }

  /** Only the distribution knows the live fleet. */
  private async explain(task: reader.FoundTask): Promise<Waiting> {
    const queued = {
      id: task.id,
      version: task.version,
      type: task.type,
      priority: task.priority,
      firstQueuedAt: iso(task.firstQueuedAt ?? task.createdAt),
      needs: toNeeds(task),
    };
    const answer = await this.bus.request(
      SERVICE_SUBJECTS.explain,
      { task: queued },
      { timeoutMs: EXPLAIN_MS },
    );
    const body = answer as { readonly ok?: boolean; readonly error?: { readonly message?: string } };
    if (body.ok === false)
      throw new DomainError('UNAVAILABLE', `The distribution answered: ${body.error?.message}`);
    return parse(explainAnswer, answer, SERVICE_SUBJECTS.explain);
  }

  private async createTogether(tasks: readonly NewTask[], caller: Caller, parent: Parent | undefined) {
    const command: CreateCommand = { kind: 'create', tasks, ...(parent ? { parent } : {}) };
    const { accepted, replayed } = await this.writePath.execute(submission(command, caller));
    const refs = new Map(tasks.map(({ id, ref }) => [id, ref]));
    const created = accepted.map(({ taskId, status, version, ref = refs.get(taskId) }): CreatedTask => {
      return { id: taskId, ...(ref === undefined ? {} : { ref }), status, version };
    });
    return { tasks: created, replayed };
  }

  /** The answer of the first request, rebuilt from the task's first event: nothing is stored twice for it. */
  private async asCreated(id: string): Promise<TaskView> {
    const event = (await reader.findFirstEvents(this.pool, [id])).get(id);
    const changes = event?.data.changes as (Changes & TaskDescription) | undefined;
    const task = event && replay([{ version: event.version, at: event.at, changes: changes ?? {} }]);
    if (task === undefined || changes === undefined) throw notFound(id);
    return toView({ ...task, ...descriptionOf(changes) });
  }
}

function submission(
  command: CreateCommand | { kind: 'cancel'; taskId: string; reason: string },
  caller: Caller,
) {
  return { command, commandId: null, ...caller };
}

function descriptionOf({
  title,
  description,
  tags,
  metadata,
  estimatedDuration,
}: TaskDescription): TaskDescription {
  return { title, description, tags, metadata, estimatedDuration };
}

function notFound(id: string): DomainError {
  return new DomainError('TASK_NOT_FOUND', `There is no task ${id}, or it is not yours to see`);
}
