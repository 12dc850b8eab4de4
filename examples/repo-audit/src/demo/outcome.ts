import { isTerminal, type TaskHistoryEntry, type TaskView } from '@baton/contracts';
import { fleet } from '../fleet.js';
import { plural } from '../text.js';

/** How an audit ended. */
export type Outcome = {
  readonly rootTaskId: string;
  readonly report: string;
  readonly tasks: readonly TaskView[];
  /** Tasks that were taken from a lost agent and done by another. */
  readonly reassigned: readonly TaskView[];
  /** Since the demo was started. */
  readonly seconds: number;
};

/** Whether the task was taken from the lost agent and then worked on by another one. */
export function wasReassigned(history: readonly TaskHistoryEntry[], lostAgent: string): boolean {
  const taken = history.findIndex((entry) => entry.type === 'task.queued' && entry.reason === 'expired');
  if (taken === -1) return false;
  return history
    .slice(taken)
    .some((entry) => entry.type === 'task.started' && entry.actor !== `agent:${lostAgent}`);
}

/** Whether the root has planned its children and everything has ended. */
export function isFinished(rootTaskId: string, tasks: readonly TaskView[]): boolean {
  return tasks.some((task) => task.id === rootTaskId) && tasks.every((task) => isTerminal(task.status));
}

/** What did not complete, in a sentence with the reasons; undefined when everything did. */
export function failuresOf(tasks: readonly TaskView[]): string | undefined {
  const failed = tasks.filter((task) => task.status !== 'completed');
  if (failed.length === 0) return undefined;
  // What failed because of another says nothing of its own.
  const causes = failed.filter((task) => task.statusReason !== 'dependency_failed');
  const lines = causes.map(
    (task) => `  ${task.title}: ${task.error?.message ?? task.statusReason ?? task.status}`,
  );
  return `${plural(failed.length, 'task')} did not complete:\n${lines.join('\n')}`;
}

/** The line that `--json` prints. */
export function toJsonLine(outcome: Outcome): string {
  const completed = outcome.tasks.filter((task) => task.status === 'completed').length;
  return JSON.stringify({
    ok: true,
    tasks: { completed, failed: outcome.tasks.length - completed },
    agents: fleet.length,
    reassigned: outcome.reassigned.length,
    seconds: outcome.seconds,
    report: outcome.report,
  });
}

/** Who did how much, as a table for the terminal. */
export function summaryTable(outcome: Outcome, killed: string): string {
  const rows = fleet.map(({ id, capabilities }) => {
    const done = outcome.tasks.filter(
      (task) => task.status === 'completed' && task.lastAgentId === id,
    ).length;
    const what = id === killed ? `${capabilities.join(', ')} (killed)` : capabilities.join(', ');
    return `  ${id.padEnd(16)}${String(done).padStart(5)}   ${what}`;
  });
  const { tasks, reassigned, seconds } = outcome;
  return [
    `  ${'agent'.padEnd(16)}tasks   does`,
    ...rows,
    '',
    `  ${plural(tasks.length, 'task')} completed by ${fleet.length} agents in ${seconds.toFixed(1)} s, ` +
      `${reassigned.length} reassigned after the kill`,
  ].join('\n');
}
