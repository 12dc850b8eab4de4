import {
  findArchived,
  lockArchived,
  readArchived,
  restoreTrees,
  type ArchivedTask,
} from '../archive/archived.store.js';
import type { Client } from '../database/database.js';
import type { ExistingDependency } from '../tasks/create.decide.js';
import * as store from '../tasks/task.store.js';
import { changesEnded } from './batch.rules.js';
import type { Submission } from './submission.js';

/**
 * Moves the trees these commands change back to the hot tables; that of a task they are refused stays where it is. The
 * first of the locks on tasks.
 */
export async function bringBack(db: Client, submissions: readonly Submission[]): Promise<void> {
  const commands = submissions.flatMap(({ command }) =>
    command.kind === 'reopen' || command.kind === 'delete' ? [command] : [],
  );
  if (commands.length === 0) return;
  const found = await findArchived(
    db,
    commands.map(({ taskId }) => taskId),
  );
  const changes = ({ id, status }: ArchivedTask) =>
    commands.some((command) => command.taskId === id && changesEnded(command, status));
  await restoreTrees(db, found.filter(changes));
}

/** Locks the tasks that are hot; the others are read from the archive, where they need no lock. */
export async function lockTargets(db: Client, ids: readonly string[]): Promise<store.LockedTasks> {
  const locked = await store.lockTasks(db, ids);
  const missing = ids.filter((id) => !locked.tasks.has(id));
  if (missing.length === 0) return locked;
  return { ...locked, tasks: new Map([...locked.tasks, ...(await readArchived(db, missing))]) };
}

/** Locks tasks others depend on, wherever they are; asked once more for those that moved back in between. */
export async function lockDependencies(
  db: Client,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ExistingDependency>> {
  const found = await store.lockRelated(db, ids);
  for (const lock of [lockArchived, store.lockRelated]) {
    const missing = ids.filter((id) => !found.has(id));
    if (missing.length === 0) return found;
    for (const [id, dependency] of await lock(db, missing)) found.set(id, dependency);
  }
  return found;
}
