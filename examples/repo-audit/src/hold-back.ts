import type { OfferedTask, TaskContext } from '@baton/agent';

/** The metadata of a task that says which run of the demo it belongs to. */
export const runField = 'demoRun';

/**
 * For the agent that the demo kills: the first task of that run is done, but its result is never handed in, so that
 * the kill finds the agent at work however small the repository is. Without a run nothing is held back.
 */
export function holdBackFirst(run: string | undefined) {
  let armed = run !== undefined;
  return async (task: OfferedTask, context: TaskContext): Promise<void> => {
    if (!armed || task.metadata[runField] !== run) return;
    armed = false;
    context.progress(99, 'The result is held back: the demo kills this agent now');
    const { signal } = context;
    await new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      if (signal.aborted) reject(signal.reason as Error);
    });
  };
}
