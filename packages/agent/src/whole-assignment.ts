import type { Assignment, ChildResult } from '@baton/contracts';
import type { Calls } from './calls.js';

/** Whether something did not fit the offer. */
export function isCut({ truncated, dependencyResults, childResults }: Assignment): boolean {
  return truncated === true || [...dependencyResults, ...childResults].some((result) => result.truncated);
}

/** Reads what did not fit the offer, so that a handler never meets half a task. Rejects as `calls.get` does. */
export async function readWhole(
  assignment: Assignment,
  calls: Calls,
  signal: AbortSignal,
): Promise<Assignment> {
  const readResult = async <T extends ChildResult>(part: T): Promise<T> => {
    if (!part.truncated) return part;
    const { truncated: _, ...whole } = part;
    const { title, result } = await calls.get(part.taskId, signal);
    return { ...whole, title, result } as T;
  };
  const { truncated, dependencyResults, childResults, task, ...rest } = assignment;
  const [detail, dependencies, children] = await Promise.all([
    truncated ? calls.get(task.id, signal) : undefined,
    Promise.all(dependencyResults.map(readResult)),
    Promise.all(childResults.map(readResult)),
  ]);
  const results = { dependencyResults: dependencies, childResults: children };
  if (detail === undefined) return { ...rest, task, ...results };
  const { description, metadata, input, context, questions, checkpoint } = detail;
  const saved = checkpoint === null || checkpoint.value === null ? {} : { checkpoint: checkpoint.value };
  return {
    ...rest,
    task: { ...task, description, metadata, input, context },
    ...results,
    questions,
    ...saved,
  };
}
