import type { Assignment, DependencyResult } from '@baton/contracts';
import type { Calls } from './calls.js';

/** Whether something did not fit the offer. */
export function isCut({ truncated, dependencyResults }: Assignment): boolean {
  return truncated === true || dependencyResults.some((result) => result.truncated);
}

/** Reads what did not fit the offer, so that a handler never meets half a task. Rejects as `calls.get` does. */
export async function readWhole(
  assignment: Assignment,
  calls: Calls,
  signal: AbortSignal,
): Promise<Assignment> {
  const readResult = async (result: DependencyResult): Promise<DependencyResult> => {
    if (!result.truncated) return result;
    const { truncated: _, ...whole } = result;
    return { ...whole, result: (await calls.get(result.taskId, signal)).result };
  };
  const { truncated, dependencyResults, task, ...rest } = assignment;
  const [detail, results] = await Promise.all([
    truncated ? calls.get(task.id, signal) : undefined,
    Promise.all(dependencyResults.map(readResult)),
  ]);
  if (detail === undefined) return { ...rest, task, dependencyResults: results };
  const { description, metadata, input, context } = detail;
  return { ...rest, task: { ...task, description, metadata, input, context }, dependencyResults: results };
}
