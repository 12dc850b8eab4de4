import { assignedBy } from '../tasks/assigned-by.js';
import { DomainError, type TaskEventType } from '@baton/contracts';
import { decideCreate, type CreateRelated } from '../tasks/create.decide.js';
import type { Revision } from '../tasks/revision.store.js';
import type { EdgeChange } from '../tasks/edge.store.js';
import { decide, refuseStale } from '../tasks/task.decide.js';
import { changedEventData, createdEventData, toTaskEvent } from '../tasks/task.events.js';
import type { AgentUnderLock, Changed, CreateCommand, Related, Task } from '../tasks/task.js';
import { isHeld, isTerminal, type TaskCommand } from '../tasks/task.state.js';
import { refuseVersion } from '../tasks/update.decide.js';
import { refuseHeldBack } from '../types/hold.decide.js';
import type { LockedTask, TaskInsert, TaskUpdate } from '../tasks/task.store.js';
import type { TreeSpending } from '../usage/budget.decide.js';
import { BatchGraph } from './batch.edges.js';
import { assertArrow, bookkeepingDiffers, refuseArchived, toAccepted } from './batch.rules.js';
import { BatchRemovals } from './batch.removals.js';
import { toEventRow, type Told } from './event.rows.js';
import type { EventRow } from './event.store.js';
import type { Loaded } from './load.js';
import type { Committed, Settled, Submission } from './submission.js';

/**
 * Decides the commands of a batch one after the other in memory and gathers what must be written. It sees its own
 * earlier decisions: two commands for one task are decided in order, and what it assigns counts against capacity.
 * Holds no connection and does no I/O.
 */
export class Batch {
  readonly inserts: TaskInsert[] = [];
  readonly events: EventRow[] = [];
  readonly published: { type: TaskEventType; json: string }[] = [];
  readonly committed: Committed[] = [];
  readonly offerAgain: Task[] = [];
  readonly ended: Task[] = [];
  /** Changes that agents are told of, other than ends. */
  readonly told: { readonly task: Task; readonly agentIds: readonly string[] }[] = [];
  private readonly current = new Map<string, Task>();
  private readonly results = new Map<string, string>();
  private readonly revised = new Map<string, Revision['described']>();
  readonly removals: BatchRemovals;
  private readonly held = new Map<string, number>();
  private readonly heldOfType = new Map<string, number>();
  private readonly added = new Map<string, number>();
  /** Tasks this batch adds, by the root of their tree. */
  private readonly grown = new Map<string, number>();
  private readonly graph: BatchGraph;

  constructor(private readonly loaded: Loaded) {
    this.graph = new BatchGraph(loaded, this.current);
    this.removals = new BatchRemovals(loaded);
  }

  decide(submission: Submission): Settled {
    const { command } = submission;
    return command.kind === 'create' ? this.create(submission, command) : this.change(submission, command);
  }

  /** Why the sender of a create may not speak for its parent, also when the create was answered before. */
  refuseParent(command: Submission['command']): DomainError | undefined {
    if (command.kind !== 'create' || command.parent?.fence === undefined) return undefined;
    const parent = this.loaded.tasks.get(command.parent.taskId);
    if (parent === undefined)
      return new DomainError('TASK_NOT_FOUND', `There is no task ${command.parent.taskId}`);
    const task = this.current.get(parent.task.id) ?? parent.task;
    return refuseStale(task, parent, command.parent.fence);
  }

  /** Edges that must change. */
  edges(): readonly EdgeChange[] {
    return this.graph.changes();
  }

  /** Locked tasks whose row must change, bookkeeping included. */
  updates(): readonly TaskUpdate[] {
    return [...this.current.values()].flatMap((task) => {
      const before = this.loaded.tasks.get(task.id)?.task;
      const result = this.results.get(task.id) ?? null;
      return before === undefined ? [] : [{ task, fromVersion: before.version, result }];
    });
  }

  private create(submission: Submission, command: CreateCommand): Settled {
    const parentId = command.parent?.taskId;
    const parent = parentId === undefined ? undefined : this.loaded.tasks.get(parentId);
    const related: CreateRelated = {
      parent: parent && (this.current.get(parent.task.id) ?? parent.task),
      parentLiveEpoch: parent?.liveEpoch ?? null,
      siblings: (this.loaded.children.get(parentId ?? '') ?? 0) + (this.added.get(parentId ?? '') ?? 0),
      dependencies: this.loaded.dependencies,
      named: this.loaded.named,
      spending: this.spendingOf(parent?.task.rootTaskId),
      waits: this.loaded.waits,
    };
    const created = decideCreate(command, submission.actor, related, submission.traceparent, this.loaded.now);
    if (created instanceof DomainError) return created;
    this.graph.created(command);
    if (parentId !== undefined) {
      this.added.set(parentId, (this.added.get(parentId) ?? 0) + command.tasks.length);
      const root = parent?.task.rootTaskId ?? '';
      this.grown.set(root, (this.grown.get(root) ?? 0) + command.tasks.length);
    }
    created.tasks.forEach((task, index) => {
      const definition = command.tasks[index];
      if (definition === undefined) return;
      this.inserts.push({ task, definition });
      this.removals.created(task, definition);
      this.record(submission, task, { type: 'task.created', data: createdEventData(task, definition) });
      const waitsForOthers =
        task.status === 'blocked' &&
        definition.dependencies.some(({ taskId }) => this.loaded.dependencies.has(taskId));
      this.committed.push({
        before: undefined,
        after: task,
        arrow: 'create',
        decision: null,
        ...(waitsForOthers ? { recheck: true } : {}),
      });
    });
    const accepted = created.tasks.map((task, index) => {
      const ref = command.tasks[index]?.ref;
      return ref === undefined ? toAccepted(task) : { ...toAccepted(task), ref };
    });
    return { accepted, replayed: false, tasks: created.tasks };
  }

  private spendingOf(root: string | undefined): TreeSpending | undefined {
    const spending = root === undefined ? undefined : this.loaded.spending.get(root);
    return spending && { ...spending, tasks: spending.tasks + (this.grown.get(spending.rootTaskId) ?? 0) };
  }

  private change(submission: Submission, command: TaskCommand): Settled {
    const locked = this.loaded.tasks.get(command.taskId);
    if (locked === undefined || this.removals.gone.has(command.taskId)) {
      const message = `There is no task ${command.taskId}, or it is not yours to see`;
      return new DomainError('TASK_NOT_FOUND', message);
    }
    const leaving = locked.archived && refuseArchived(command, locked.task);
    if (leaving) return leaving;
    const before = this.current.get(command.taskId) ?? locked.task;
    const decided = decide(before, this.related(command, locked), command, this.loaded.now);
    if (decided instanceof DomainError) return decided;
    const mismatch = refuseVersion(before, submission.ifVersions);
    if (mismatch) return mismatch;
    if (decided.task !== before && bookkeepingDiffers(before, decided.task))
      this.current.set(before.id, decided.task);
    if (decided.outcome === 'changed') this.apply(submission, before, decided);
    else if (decided.offer) this.offerAgain.push(decided.task);
    const tasks = decided.outcome === 'changed' ? [decided.task] : [];
    return { accepted: [toAccepted(decided.task)], replayed: false, tasks };
  }

  private apply(submission: Submission, before: Task, changed: Changed): void {
    assertArrow(before, changed);
    const { task } = changed;
    this.current.set(task.id, task);
    const result = changed.result === undefined ? null : JSON.stringify(changed.result);
    if (result !== null) this.results.set(task.id, result);
    if (changed.described !== undefined) {
      this.revised.set(task.id, { ...this.revised.get(task.id), ...changed.described });
    }
    const data = changedEventData(before, changed, result);
    this.record(submission, task, { type: changed.event, data, detail: changed.detail, before });
    this.committed.push({
      before,
      after: task,
      arrow: changed.arrow,
      decision: changed.detail?.decision ?? null,
      ...(task.status === 'blocked' ? { recheck: true } : {}),
    });
    if (changed.arrow === 'delete') {
      this.current.delete(task.id);
      this.removals.gone.set(task.id, { task, actor: submission.actor });
      return;
    }
    this.graph.apply(changed);
    this.removals.changed(changed, this.graph.dependenciesOf(task.id));
    if (changed.tell !== undefined) this.told.push({ task, agentIds: changed.tell });
    if (task.attempt > before.attempt && task.assignedTo !== null) {
      this.held.set(task.assignedTo, (this.held.get(task.assignedTo) ?? 0) + 1);
    }
    if (isHeld(task.status) && !isHeld(before.status))
      this.heldOfType.set(task.type, (this.heldOfType.get(task.type) ?? 0) + 1);
    if (isTerminal(task.status)) this.ended.push(task);
  }

  /** Rows of which more changes than an arrow does. */
  revisions(): readonly Revision[] {
    return [...this.revised].flatMap(([id, described]) => {
      const task = this.current.get(id);
      return task === undefined ? [] : [{ task, described }];
    });
  }

  private related(command: TaskCommand, locked: LockedTask): Related {
    const { dependencies, waits, other, children } = this.graph.related(command);
    // Field by field: what begins with a spread takes five times as long, three times in a plain task's life.
    return {
      dependencies,
      waits,
      other,
      children,
      agent: this.agent(assignedBy(command)),
      named: this.loaded.named,
      heldBack: this.heldBack(command, locked.task.type),
      liveEpoch: locked.liveEpoch,
      heartbeatMs: locked.heartbeatMs,
      hindrance: this.removals.hindrance(command.taskId),
      parentStatus: this.parentStatus(command, locked.task),
      described: this.describedAs(command.taskId),
      progressAt: this.loaded.progress.get(command.taskId) ?? null,
    };
  }

  private heldBack(command: TaskCommand, type: string): DomainError | undefined {
    if (command.kind !== 'assign' || command.mayBeHeldBack !== true) return undefined;
    return refuseHeldBack(this.loaded.holds, type, this.heldOfType.get(type) ?? 0);
  }

  private parentStatus({ kind }: TaskCommand, { parentTaskId }: Task): Related['parentStatus'] {
    if (kind !== 'reopen' || parentTaskId === null) return null;
    const parent = this.current.get(parentTaskId) ?? this.loaded.dependencies.get(parentTaskId);
    return parent?.status ?? null;
  }

  private describedAs(id: string): Related['described'] {
    const described = this.loaded.described.get(id);
    return described && { ...described, ...this.revised.get(id) };
  }

  /** Slots freed by this very batch are not given away in it: the count was taken before. */
  private agent(id: string | null): AgentUnderLock | undefined {
    const agent = id === null ? undefined : this.loaded.agents.get(id);
    return agent && { ...agent, held: agent.held + (this.held.get(agent.id) ?? 0) };
  }

  private record(submission: Submission, task: Task, told: Told): void {
    this.events.push(toEventRow(submission, task, told));
    const { type, detail, before } = told;
    this.published.push({ type, json: JSON.stringify(toTaskEvent(task, type, detail, before)) });
  }
}
