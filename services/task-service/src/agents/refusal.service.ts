import { DomainError } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { refuseStale } from '../tasks/task.decide.js';
import { readTasks } from '../tasks/task.store.js';
import type { Fence } from '../tasks/task.state.js';

/** Tells what the fence refused apart as a state command would be: what a holder says of a task it works on. */
export async function refusalOf(
  pool: Pool,
  taskId: string,
  { agentId, attempt, epoch }: Fence,
): Promise<DomainError> {
  const found = (await readTasks(pool, [taskId])).get(taskId);
  if (found === undefined) return new DomainError('TASK_NOT_FOUND', `There is no task ${taskId}`);
  const refusal = refuseStale(found.task, found, { agentId, attempt, epoch });
  const conflict = `Task ${taskId} is ${found.task.status}; start it before telling of it`;
  return refusal ?? new DomainError('TASK_STATE_CONFLICT', conflict);
}
