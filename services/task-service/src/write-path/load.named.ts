import { assignedBy } from '../tasks/assigned-by.js';
import { agentOf } from '@baton/contracts';
import { findNamed } from '../agents/named.store.js';
import type { Client } from '../database/database.js';
import { connectionName, namedBy } from '../tasks/delegation.rules.js';
import type { Named } from '../tasks/task.js';
import type { LockedTasks } from '../tasks/task.store.js';
import type { Submission } from './submission.js';

const NOBODY: Named = { agents: new Map(), connections: new Set() };

/**
 * The agents that commands name, or that locked tasks may go back to, with the connections by which one may name the
 * other. One statement, and none for a batch of plain tasks.
 */
export async function loadNamed(
  db: Client,
  submissions: readonly Submission[],
  { tasks }: LockedTasks,
): Promise<Named> {
  const ids = new Set<string>();
  const edges = new Set<string>();
  const name = (from: string | undefined | null, to: string) => {
    ids.add(to);
    if (from) edges.add(connectionName(from, to));
  };
  for (const { task } of tasks.values()) if (task.returnTo !== null) ids.add(task.returnTo);
  for (const { command, actor } of submissions) {
    if (command.kind === 'create') {
      const creator = agentOf(actor);
      if (creator === undefined) continue;
      for (const { criteria } of command.tasks) for (const id of namedBy(criteria)) name(creator, id);
    } else if (command.kind === 'delegate') {
      name(tasks.get(command.taskId)?.task.assignedTo, command.to);
    } else if (command.kind !== 'assign' || command.decision === null) {
      const id = assignedBy(command);
      if (id !== null) ids.add(id);
    }
  }
  return ids.size === 0 ? NOBODY : findNamed(db, [...ids], [...edges]);
}
