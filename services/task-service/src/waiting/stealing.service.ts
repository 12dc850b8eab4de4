import type { Bus } from '@baton/bus';
import { choiceAnswer, DEFAULTS, SERVICE_SUBJECTS } from '@baton/contracts';
import type { DatabaseClock } from '@baton/runtime';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { askDistribution } from '../distribution/ask-distribution.js';
import { isStealable } from '../tasks/due.policy.js';
import { toQueuedTask } from '../tasks/task.events.js';
import { findTask, type FoundTask } from '../tasks/task.reader.store.js';
import type { WritePath } from '../write-path/write-path.service.js';

/**
 * Gives tasks that their agents took and have not begun to agents that have nothing to do. The fence makes it safe: the
 * attempt rises, the one it was with is told, and a start it sends nevertheless is refused. Whoever began keeps it.
 */
export class StealingService {
  constructor(
    private readonly pool: Pool,
    private readonly bus: Bus,
    private readonly writePath: WritePath,
    private readonly clock: DatabaseClock,
    private readonly logger: Logger,
  ) {}

  /** Looks at tasks a timer found; one request to the distribution for each that may be taken. Never rejects. */
  async look(ids: readonly string[]): Promise<void> {
    await Promise.all(
      ids.map(async (id) => {
        try {
          await this.steal(id);
        } catch (error) {
          this.logger.debug(
            { task_id: id, error: String(error) },
            'no look at an assignment that is not started',
          );
        }
      }),
    );
  }

  private async steal(id: string): Promise<void> {
    const task = await findTask(this.pool, id);
    if (task === undefined || task.assignedTo === null || !isLate(task, this.clock.now())) return;
    const from = task.assignedTo;
    const queued = toQueuedTask(task);
    const { criteria } = queued.needs;
    const excludedAgents = [...(criteria.excludedAgents ?? []), from];
    const needs = { ...queued.needs, criteria: { ...criteria, excludedAgents } };
    const asked = { ...queued, needs };
    const { decision } = await askDistribution(this.bus, SERVICE_SUBJECTS.choose, asked, choiceAnswer, {
      idle: true,
    });
    if (decision === null) return;
    await this.writePath.submit({
      command: { kind: 'reassign', taskId: id, agentId: decision.chosen.agentId, from, isUnstarted: true },
      ifVersions: [task.version],
      actor: 'system:timer',
      traceparent: null,
      commandId: null,
      bytes: 0,
      background: true,
    });
  }
}

function isLate(task: FoundTask, now: number): boolean {
  return isStealable(task) && now - (task.assignedAt ?? now) >= DEFAULTS.stealAfterMs;
}
