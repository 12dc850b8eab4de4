import type { TaskStatus } from '@baton/contracts';
import { addWait, type Child, type DependencyEdge, type EdgeChange } from '../tasks/edge.store.js';
import type { TaskCommand } from '../tasks/task.state.js';
import type { Changed, CreateCommand, Related, Task } from '../tasks/task.js';
import type { Loaded } from './load.js';

type LoadedGraph = Pick<Loaded, 'dependencies' | 'edges' | 'awaitable' | 'waits'>;

/** Edges and children as a batch found them and as its own decisions leave them. */
export class BatchGraph {
  private readonly edges: Map<string, readonly DependencyEdge[]>;
  private readonly written = new Map<string, EdgeChange>();
  private readonly nothing: Pick<Related, 'dependencies' | 'waits'>;

  constructor(
    private readonly loaded: LoadedGraph,
    /** Tasks this batch has changed. */
    private readonly current: ReadonlyMap<string, Task>,
  ) {
    this.edges = new Map(loaded.edges);
    this.nothing = { dependencies: [], waits: loaded.waits };
  }

  /** Edges to be written, each once: as the last command on it leaves it. */
  changes(): readonly EdgeChange[] {
    return [...this.written.values()];
  }

  dependenciesOf(id: string): readonly string[] {
    return (this.edges.get(id) ?? []).map(({ dependsOn }) => dependsOn);
  }

  /** What a decision looks at of this. */
  related(command: TaskCommand): Pick<Related, 'dependencies' | 'other' | 'waits' | 'children'> {
    const edges = this.edges.get(command.taskId) ?? [];
    const children = this.loaded.awaitable.get(command.taskId);
    // Nearly every command: nothing is gathered for it.
    if (edges.length === 0 && children === undefined && command.kind !== 'link') return this.nothing;
    const other = command.kind === 'link' ? this.loaded.dependencies.get(command.dependsOn) : undefined;
    return {
      dependencies: edges.map(({ dependsOn: taskId, policy, name }) => {
        return { taskId, policy, name, status: this.statusOf(taskId) };
      }),
      ...(other === undefined || other.leaving
        ? {}
        : { other: { id: other.id, status: this.statusOf(other.id) } }),
      ...(children === undefined ? {} : { children: children.map((child) => this.asItIs(child)) }),
      waits: this.loaded.waits,
    };
  }

  /** Remembers what a decision did to the edges. */
  apply({ task, detail, arrow }: Changed): void {
    const { linked, unlinked } = detail ?? {};
    if (linked !== undefined) {
      const { taskId: dependsOn, policy, name } = linked;
      const others = this.without(task.id, dependsOn);
      this.edges.set(task.id, [...others, { taskId: task.id, dependsOn, policy, name }]);
      this.written.set(`${task.id} ${dependsOn}`, { taskId: task.id, linked });
      addWait(this.loaded.waits, task.id, dependsOn);
    }
    if (unlinked !== undefined) {
      this.edges.set(task.id, this.without(task.id, unlinked.taskId));
      this.written.set(`${task.id} ${unlinked.taskId}`, { taskId: task.id, unlinked: unlinked.taskId });
    }
    if (arrow !== 'block') return;
    for (const { id } of this.loaded.awaitable.get(task.id) ?? []) addWait(this.loaded.waits, task.id, id);
  }

  /** The same of new children: for others nobody waits yet. */
  created({ tasks, parent }: CreateCommand): void {
    if (parent === undefined) return;
    for (const { id, detached, dependencies } of tasks) {
      for (const { taskId } of dependencies) addWait(this.loaded.waits, id, taskId);
      if (!detached) addWait(this.loaded.waits, parent.taskId, id);
    }
  }

  private without(taskId: string, dependsOn: string): readonly DependencyEdge[] {
    return (this.edges.get(taskId) ?? []).filter((edge) => edge.dependsOn !== dependsOn);
  }

  /** A dependency that is gone was met once: none is removed while others wait for it. */
  private statusOf(id: string): TaskStatus {
    return this.current.get(id)?.status ?? this.loaded.dependencies.get(id)?.status ?? 'completed';
  }

  private asItIs({ id, status }: Child): Child {
    return { id, status: this.current.get(id)?.status ?? status };
  }
}
