import { DomainError, type Actor, type Redistributed } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { findQueued } from '../distribution/backlog.store.js';
import { pinClass } from '../tasks/pin.policy.js';
import type { TaskCommand } from '../tasks/task.state.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { findHeld } from './agent.store.js';

const PAGE = 200;

type Kept = Redistributed['kept'][number];
type Moved = { readonly requeued: readonly string[]; readonly kept: readonly Kept[] };

/** Takes from an agent what it need not keep: each task by a command of its own. */
export class RedistributionService {
  constructor(
    private readonly pool: Pool,
    private readonly writePath: WritePath,
  ) {}

  /** Puts back what the agent has not begun and what waits for it alone; says what stays with it, and why. */
  async redistribute(agentId: string, actor: Actor): Promise<Redistributed> {
    const held = await findHeld(this.pool, [agentId]);
    const begun = held.filter(({ status }) => status === 'in_progress').map(({ taskId }) => taskId);
    const unbegun = held.filter(({ status }) => status === 'assigned').map(({ taskId }) => taskId);
    const moved = await this.submit(unbegun, actor, (taskId) => ({
      kind: 'reassign',
      taskId,
      agentId: null,
      from: agentId,
      isUnstarted: true,
    }));
    const unpinned = await this.unpin(agentId, actor, 'redistributed');
    return {
      requeued: [...moved.requeued, ...unpinned.requeued],
      kept: [
        ...begun.map((id): Kept => ({ id, why: 'in_progress' })),
        ...moved.kept,
        ...unpinned.kept.map((kept): Kept => ({ ...kept, why: 'only_this_agent' })),
      ],
    };
  }

  /** Puts back all an agent has and all that waits for it alone. */
  async takeAll(agentId: string, actor: Actor): Promise<void> {
    const held = (await findHeld(this.pool, [agentId])).map(({ taskId }) => taskId);
    await this.submit(held, actor, (taskId) => {
      return { kind: 'reassign', taskId, agentId: null, from: agentId };
    });
    await this.unpin(agentId, actor, 'redistributed');
  }

  /** Takes what waits for the agent alone away from it, a page at a time; of handed-on tasks only, where said. */
  async unpin(
    agentId: string,
    actor: Actor,
    reason: string,
    { onlyHandedOn = false }: { readonly onlyHandedOn?: boolean } = {},
  ): Promise<Moved> {
    const all = { requeued: [] as string[], kept: [] as Kept[] };
    const backlogClass = pinClass(agentId);
    let after: { readonly queueKey: number; readonly id: string } | undefined;
    for (;;) {
      const page = { backlogClass, limit: PAGE, ...(after === undefined ? {} : { after }) };
      const tasks = (await findQueued(this.pool, [page])).get(backlogClass) ?? [];
      const ids = tasks.map(({ id }) => id);
      const moved = await this.submit(ids, actor, (taskId) => ({
        kind: 'unpin',
        taskId,
        reason,
        onlyHandedOn,
      }));
      all.requeued.push(...moved.requeued);
      all.kept.push(...moved.kept);
      const last = tasks.at(-1);
      if (last === undefined || tasks.length <= PAGE) return all;
      after = { queueKey: last.needs.queueKey, id: last.id };
    }
  }

  private async submit(
    ids: readonly string[],
    actor: Actor,
    toCommand: (taskId: string) => TaskCommand,
  ): Promise<Moved> {
    const settled = await Promise.all(
      ids.map((id) => {
        const command = toCommand(id);
        return this.writePath.submit({ command, actor, traceparent: null, commandId: null, bytes: 0 });
      }),
    );
    const requeued = ids.filter((_, index) => !(settled[index] instanceof DomainError));
    const kept = ids.filter((_, index) => settled[index] instanceof DomainError);
    return { requeued, kept: kept.map((id) => ({ id, why: 'changed' })) };
  }
}
