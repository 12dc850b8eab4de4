import { agentOf, isTerminal, type InboxItem } from '@baton/contracts';
import type { InboxRow } from '../agents/inbox.store.js';
import { createMint } from '../database/mint-id.js';
import type { Task } from '../tasks/task.js';

/** A change and the agents that are to hear of it. */
export type Told = { readonly task: Task; readonly agentIds: readonly string[] };

/** Retention goes by the time in these ids: it is that of the change, which is the database's. */
const mintId = createMint();

/** Whom the end of a task concerns: who created it, who handed it on, and who holds its parent now. */
export function toldOfEnd(task: Task, holders: ReadonlyMap<string, string>): Told {
  const creator = agentOf(task.createdBy);
  const holder = task.parentTaskId === null ? undefined : holders.get(task.parentTaskId);
  const agents = [creator, holder, ...task.delegationChain].filter((agent) => agent !== undefined);
  return { task, agentIds: [...new Set(agents)] };
}

/** One row for each agent and change. */
export function inboxRows(told: readonly Told[]): readonly InboxRow[] {
  return told.flatMap(({ task, agentIds }) => {
    const { status } = task;
    if (!isTold(status)) return [];
    return agentIds.map((agentId) => ({
      id: mintId(task.updatedAt),
      agentId,
      taskId: task.id,
      status,
      reason: task.statusReason,
      at: task.updatedAt,
    }));
  });
}

function isTold(status: Task['status']): status is InboxItem['status'] {
  return isTerminal(status) || status === 'queued';
}
