import { DomainError, type TaskDetail, type TaskHistoryEntry, type TaskLogLine } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { findUsage } from '../usage/usage.store.js';
import { iso } from './task.events.js';
import { findLines } from './log.store.js';
import { findQuestions } from './relatives.store.js';
import * as reader from './task.reader.store.js';
import { toView } from './task.view.js';

const HISTORY_PAGE = 500;
const LOG_PAGE = 500;

/** Tasks as they are and were, the same behind HTTP and NATS. */
export class TaskReading {
  constructor(private readonly pool: Pool) {}

  async get(id: string): Promise<TaskDetail> {
    const task = await reader.findTask(this.pool, id);
    if (task === undefined) throw taskNotFound(id);
    const [dependencies, usage, asked] = await Promise.all([
      reader.findDependenciesOf(this.pool, task),
      findUsage(this.pool, task),
      // Only an attempt can have asked.
      findQuestions(this.pool, task.attempt === 0 ? [] : [id], task),
    ]);
    const { input, context, result, progress, artifacts, checkpoint, archived } = task;
    return {
      ...toView(task, task),
      input,
      context,
      result,
      progress: progress && { ...progress, at: iso(progress.at) },
      usage,
      dependencies,
      artifacts: artifacts.map((artifact) => ({ ...artifact, at: iso(artifact.at) })),
      checkpoint: checkpoint && { ...checkpoint, at: iso(checkpoint.at) },
      archived,
      questions: asked.get(id) ?? [],
    };
  }

  async history(id: string, after: number): Promise<readonly TaskHistoryEntry[]> {
    const events = await reader.findEvents(this.pool, id, after, HISTORY_PAGE);
    if (events.length === 0 && (await reader.findTask(this.pool, id)) === undefined) throw taskNotFound(id);
    return events.map(({ at, data, ...event }) => ({ ...event, at: iso(at), data }));
  }

  /** What holders wrote into its log, behind a line's number. */
  async logs(id: string, after: number): Promise<readonly TaskLogLine[]> {
    const lines = await findLines(this.pool, id, after, LOG_PAGE);
    if (lines.length === 0 && (await reader.findTask(this.pool, id)) === undefined) throw taskNotFound(id);
    return lines.map(({ at, ...line }) => ({ ...line, at: iso(at) }));
  }
}

/** What is not there, and what the caller may not see, is refused alike. */
export function taskNotFound(id: string): DomainError {
  return new DomainError('TASK_NOT_FOUND', `There is no task ${id}, or it is not yours to see`);
}
