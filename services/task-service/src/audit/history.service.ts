import type { Client, Pool } from '../database/database.js';
import { readEvents, readTasks, type EventToAudit, type TaskToAudit } from './history.store.js';
import { compare, follow, UNBORN, type Followed } from './history.fold.js';

/** Something about a task that cannot be. */
export type Problem = { readonly taskId: string; readonly problem: string };

export type AuditReport = { readonly tasks: number; readonly events: number; readonly problems: number };

type Audit = {
  readonly pool: Pool;
  /** Told of each problem as it is found. */
  readonly onProblem: (problem: Problem) => void;
};

const LOWEST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * Replays the history of every task, archived ones too, and holds it against its row: versions without gaps, steps
 * that are arrows, the row and the SHA-256 of the payload as the history leads to them, no history without a task.
 * Reads page by page, each in one snapshot, so it may run while Baton does, in memory that does not grow with the
 * number of tasks or the length of a history.
 */
export async function auditHistory({ pool, onProblem }: Audit): Promise<AuditReport> {
  let report: AuditReport = { tasks: 0, events: 0, problems: 0 };
  const client = await pool.connect();
  try {
    for (let after: string | undefined = LOWEST_ID; after !== undefined;) {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const page: Page = await auditPage(client, after, onProblem);
      await client.query('COMMIT');
      after = page.next;
      report = {
        tasks: report.tasks + page.tasks,
        events: report.events + page.events,
        problems: report.problems + page.problems,
      };
    }
    return report;
  } finally {
    client.release();
  }
}

type Page = AuditReport & { readonly next: string | undefined };

async function auditPage(client: Client, after: string, onProblem: Audit['onProblem']): Promise<Page> {
  const { tasks, isLast } = await readTasks(client, after);
  const next = isLast ? undefined : tasks.at(-1)?.task.id;
  let problems = 0;
  const tell = (taskId: string, found: readonly string[]): void => {
    problems += found.length;
    for (const problem of found) onProblem({ taskId, problem });
  };
  const rows = new Map(tasks.map((row) => [row.task.id, row]));
  let events = 0;
  let current: (History & { readonly id: string }) | undefined;
  const judged = new Set<string>();
  const judge = (): void => {
    if (current === undefined) return;
    judged.add(current.id);
    tell(current.id, judgeTask(current, rows.get(current.id)));
  };
  for await (const batch of readEvents(client, { after, upTo: next })) {
    events += batch.length;
    for (const event of batch) {
      if (event.taskId !== current?.id) judge();
      const followed: Followed = event.taskId === current?.id ? current.followed : UNBORN;
      current = { id: event.taskId, last: event.type, followed: follow(followed, event) };
    }
  }
  judge();
  for (const [id, row] of rows) {
    if (!judged.has(id)) tell(id, compare(UNBORN, row));
    tell(id, row.faults);
  }
  return { tasks: rows.size, events, problems, next };
}

type History = { readonly last: EventToAudit['type']; readonly followed: Followed };

/** A task that was deleted may have left its history. */
function judgeTask({ followed, last }: History, row: TaskToAudit | undefined): readonly string[] {
  if (row !== undefined) return [...followed.problems, ...compare(followed, row)];
  return (last as string) === 'task.deleted' ? followed.problems : ['there is a history and no such task'];
}
