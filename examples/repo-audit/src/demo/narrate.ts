import type { TaskView } from '@baton/contracts';

/** What happened between two looks at the tasks, one line for each change worth telling. */
export function narrate(
  before: readonly TaskView[],
  now: readonly TaskView[],
  lostTaskId: string | undefined,
): string[] {
  const known = new Map(before.map((task) => [task.id, task]));
  const planned = now.length - 1;
  const lines = before.length <= 1 && planned > 0 ? [`planner made a plan of ${planned} tasks`] : [];
  for (const task of now) {
    const old = known.get(task.id);
    if (task.id === lostTaskId && isTaken(task) && task.attempt !== old?.attempt) {
      lines.push(
        `${task.assignedTo ?? task.lastAgentId} takes over "${task.title}" (attempt ${task.attempt})`,
      );
    }
    if (task.status !== old?.status) lines.push(...endOf(task));
  }
  return lines;
}

function isTaken(task: TaskView): boolean {
  return task.attempt > 1 && task.status !== 'queued';
}

function endOf(task: TaskView): string[] {
  if (task.status === 'failed' || task.status === 'cancelled') {
    return [
      `"${task.title}" ${task.status}: ${task.error?.message ?? task.statusReason ?? 'no reason given'}`,
    ];
  }
  if (task.status !== 'completed' || task.parentTaskId === null) return [];
  const took = task.actualDuration === null ? '' : ` (${Math.round(task.actualDuration * 1_000)} ms)`;
  return [`${(task.lastAgentId ?? '').padEnd(15)} ${task.title}${took}`];
}
