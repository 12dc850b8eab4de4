import { lockArchived, readArchived, restoreTrees } from '../archive/archived.store.js';
import type { Client } from '../database/database.js';
import type { ExistingDependency } from '../tasks/create.decide.js';
import * as store from '../tasks/task.store.js';
import type { Submission } from './submission.js';

/** Commands that change what may be archived: it is moved back first. All others are refused what has ended. */
const MOVES_BACK: ReadonlySet<string> = new Set(['reopen', 'delete']);

/** Moves the trees these commands change back to the hot tables. The first of the locks on tasks. */
export async function bringBack(db: Client, submissions: readonly Submission[]): Promise<void> {
  const ids = submissions.flatMap(({ command }) =>
    command.kind !== 'create' && MOVES_BACK.has(command.kind) ? [command.taskId] : [],
  );
  if (ids.length > 0) await restoreTrees(db, ids);
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
