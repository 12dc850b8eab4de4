import type { TaskView } from '@baton/contracts';

/** What happened between two looks at the tasks, one line for each change worth telling. */
export function narrate(before: readonly TaskView[], now: readonly TaskView[]): string[] {
  const known = new Map(before.map((task) => [task.id, task]));
  const planned = now.length - 1;
  const lines = before.length <= 1 && planned > 0 ? [`planner made a plan of ${planned} tasks`] : [];
  for (const task of now) {
    const old = known.get(task.id);
    if (old !== undefined) lines.push(...againOf(old, task));
    if (task.status !== old?.status) lines.push(...endOf(task));
  }
  return lines;
}

function againOf(old: TaskView, task: TaskView): string[] {
  if (old.attempt === 0 || task.attempt === old.attempt) return [];
  const does = task.lastAgentId === old.lastAgentId ? 'tries again' : 'takes over';
  return [`${(task.lastAgentId ?? '').padEnd(15)} ${does}: ${task.title} (attempt ${task.attempt})`];
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
