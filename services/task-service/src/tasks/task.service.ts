import {
  agentOf,
  DomainError,
  type Actor,
  type CreatedTask,
  type CreateGraph,
  type CreateTask,
  type TaskView,
} from '@baton/contracts';
import type { AccessService } from '../access/access.service.js';
import type { Pool } from '../database/database.js';
import type { Idempotency, Settled } from '../write-path/submission.js';
import type { UsageService } from '../usage/usage.service.js';
import type { WritePath } from '../write-path/write-path.service.js';
import type { AdmissionService } from '../types/admission.service.js';
import { namedBy } from './delegation.rules.js';
import { outerDependencies } from './edges.decide.js';
import { toNewTask, toNewTasks } from './new-task.js';
import { replay, type Changes } from './task.fold.js';
import * as reader from './task.reader.store.js';
import type { Accepted, CreateCommand, NewTask, TaskDescription } from './task.js';
import { taskNotFound } from './task.reading.service.js';
import type { TaskCommand } from './task.state.js';
import type { SaidCommand } from './task.words.js';
import { toView } from './task.view.js';

/** Who asks, and what came with the request. */
export type Caller = {
  readonly actor: Actor;
  readonly traceparent: string | null;
  readonly idempotency?: Idempotency;
  /** What a change of one task is made on the condition of: that it is at one of these versions. */
  readonly ifVersions?: readonly number[];
  /** Rough size of the request. */
  readonly bytes: number;
};

export type Parent = NonNullable<CreateCommand['parent']>;
type What = {
  readonly task?: CreateTask | undefined;
  readonly tasks?: readonly CreateTask[] | undefined;
  readonly graph?: CreateGraph | undefined;
};

/** Commands on tasks, the same behind HTTP and NATS. */
export class TaskService {
  constructor(
    private readonly pool: Pool,
    private readonly writePath: WritePath,
    private readonly admission: AdmissionService,
    private readonly mintId: () => string,
    private readonly usage: UsageService,
    private readonly access: AccessService,
  ) {}

  /** Creates one task, and answers it as it was created also when the request is repeated with its key. */
  async create(
    task: CreateTask,
    caller: Caller,
  ): Promise<{ readonly view: TaskView; readonly replayed: boolean }> {
    const definition = toNewTask(task, this.mintId);
    const outcome = await this.writePath.execute(submission({ kind: 'create', tasks: [definition] }, caller));
    const [created] = outcome.tasks;
    if (created !== undefined) return { view: toView(created, definition), replayed: false };
    return { view: await this.asCreated(outcome.accepted[0]?.taskId ?? ''), replayed: true };
  }

  /** Creates tasks each on its own, the caller's key standing for each in its place; refusals among the answers. */
  createEach(
    tasks: readonly { readonly task: CreateTask; readonly index: number }[],
    caller: Caller,
  ): Promise<readonly Settled[]> {
    const bytes = Math.ceil(caller.bytes / Math.max(1, tasks.length));
    return Promise.all(
      tasks.map(({ task, index }) => {
        const command = { kind: 'create', tasks: [toNewTask(task, this.mintId)] } as const;
        return this.writePath.submit(submission(command, { ...placed(caller, index), bytes }));
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

  /** Creates what a request says in one of three ways, all or nothing. */
  createWhat({ task, tasks, graph }: What, caller: Caller, parent?: Parent) {
    if (graph !== undefined) return this.createGraph(graph, caller, parent);
    return this.createAll(tasks ?? (task === undefined ? [] : [task]), caller, parent);
  }

  /** Has one task take an arrow; throws what it was refused for. */
  async command(
    { used, ...said }: SaidCommand,
    caller: Caller,
  ): Promise<{ readonly accepted: Accepted; readonly replayed: boolean }> {
    if (agentOf(caller.actor) !== undefined) refuseNaming(said.command);
    if (used !== undefined) await this.usage.keep(used.agentId, [used]);
    const judged = await this.admission.judged(said.command);
    const outcome = await this.writePath.execute({ ...said, ...caller, command: judged });
    const [accepted] = outcome.accepted;
    if (accepted === undefined) throw taskNotFound(said.command.taskId);
    return { accepted, replayed: outcome.replayed };
  }

  private async createTogether(tasks: readonly NewTask[], caller: Caller, parent: Parent | undefined) {
    const command = await this.judged({ kind: 'create', tasks, ...(parent ? { parent } : {}) }, caller);
    const { accepted, replayed } = await this.writePath.execute(submission(command, caller));
    const refs = new Map(tasks.map(({ id, ref }) => [id, ref]));
    const created = accepted.map(({ taskId, status, version, ref = refs.get(taskId) }): CreatedTask => {
      return { id: taskId, ...(ref === undefined ? {} : { ref }), status, version };
    });
    return { tasks: created, replayed };
  }

  /** With what its creator may not see: a repeated request is answered all the same. */
  private async judged(command: CreateCommand, { actor }: Caller): Promise<CreateCommand> {
    const agent = agentOf(actor);
    const outer = agent === undefined ? [] : [...new Set(outerDependencies(command))];
    if (agent === undefined || outer.length === 0) return command;
    return { ...command, unseen: await this.access.findUnseen(agent, outer) };
  }

  /** The answer of the first request, rebuilt from the task's first event: nothing is stored twice for it. */
  private async asCreated(id: string): Promise<TaskView> {
    const [event] = await reader.findEvents(this.pool, id, 0, 1);
    const changes = event?.data.changes as (Changes & TaskDescription) | undefined;
    const task = event && replay([{ version: event.version, at: event.at, changes: changes ?? {} }]);
    if (task === undefined || changes === undefined) throw taskNotFound(id);
    return toView(task, changes);
  }
}

/** The caller of one task of a batch: its key is that of the batch, in this place. */
export function placed(caller: Caller, index: number): Caller {
  const { idempotency } = caller;
  if (idempotency === undefined) return caller;
  return { ...caller, idempotency: { ...idempotency, key: `${idempotency.key}#${index}` } };
}

function submission(command: CreateCommand, caller: Caller) {
  return { command, commandId: null, ...caller };
}

/** Whom a task may go to is said when it is created, where the connections count. */
function refuseNaming(command: TaskCommand): void {
  const isChange = command.kind === 'update' || command.kind === 'reopen';
  if (!isChange || namedBy(command.changes.criteria ?? {}).length === 0) return;
  throw new DomainError(
    'FORBIDDEN',
    'An agent may not name agents in a change of a task; leave out requiredAgents and pin',
  );
}
