import type { Actor } from '@baton/contracts';
import type { Changed, NewTask, Task } from '../tasks/task.js';
import type { Loaded } from './load.js';

/** A task that goes, as it was last, and who has it go. */
export type Removal = { readonly task: Task; readonly actor: Actor };

/** What a batch removes, and what it keeps from that: deletes are decided last, when all others are known. */
export class BatchRemovals {
  readonly gone = new Map<string, Removal>();
  /** Tasks that others depend on or belong to by what this batch decides. */
  private readonly named = new Set<string>();

  constructor(private readonly loaded: Pick<Loaded, 'hindered'>) {}

  /** Why a task may not go. */
  hindrance(id: string): string | undefined {
    return this.named.has(id)
      ? 'a task that is just being written waits for it'
      : this.loaded.hindered.get(id);
  }

  created({ parentTaskId }: Task, { dependencies }: NewTask): void {
    for (const { taskId } of dependencies) this.named.add(taskId);
    if (parentTaskId !== null) this.named.add(parentTaskId);
  }

  changed({ arrow, task, detail }: Changed, dependencies: readonly string[]): void {
    if (detail?.linked !== undefined) this.named.add(detail.linked.taskId);
    if (arrow !== 'reopen') return;
    for (const id of dependencies) this.named.add(id);
    if (task.parentTaskId !== null) this.named.add(task.parentTaskId);
  }
}
