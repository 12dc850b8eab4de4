import type { Bus } from '@baton/bus';
import {
  SERVICE_SUBJECTS,
  explainAnswer,
  isTerminal,
  type Decision,
  type DecisionView,
  type Waiting,
} from '@baton/contracts';
import type { Pool } from '../database/database.js';
import type { HoldService } from '../types/hold.service.js';
import { askDistribution } from '../distribution/ask-distribution.js';
import { iso, toQueuedTask } from './task.events.js';
import { isMet } from './dependency.decide.js';
import { findAwaitable } from './edge.store.js';
import { findQuestions } from './relatives.store.js';
import * as reader from './task.reader.store.js';
import { taskNotFound } from './task.reading.service.js';

/** Why a task is where it is. */
export class DecisionService {
  constructor(
    private readonly pool: Pool,
    private readonly bus: Bus,
    private readonly holds: HoldService,
  ) {}

  /** Why the task is with its agent, or why it is with nobody. */
  async of(id: string): Promise<DecisionView> {
    const task = await reader.findTask(this.pool, id);
    if (task === undefined) throw taskNotFound(id);
    const assignment =
      task.attempt === 0 ? undefined : await reader.findAssignment(this.pool, id, task.attempt);
    return {
      taskId: id,
      status: task.status,
      attempt: task.attempt,
      decision: (assignment?.data.decision as Decision | undefined) ?? null,
      waiting: await this.waiting(task),
    };
  }

  private async waiting(task: reader.FoundTask): Promise<Waiting | null> {
    if (task.assignedTo !== null) return null;
    if (isTerminal(task.status)) {
      return { reason: 'ENDED', evidence: { status: task.status }, nextStep: 'Nothing: the task has ended' };
    }
    if (task.status === 'created') {
      const nextStep = 'It becomes ready when it is released';
      return { reason: 'HELD', evidence: { createdBy: task.createdBy }, nextStep };
    }
    if (task.status === 'blocked') return this.blocked(task);
    if (task.availableAt !== null) {
      return {
        reason: delayOf(task),
        evidence: { availableAt: iso(task.availableAt) },
        nextStep: 'It becomes ready at that time',
      };
    }
    return (await this.holds.whyHeldBack(task.type)) ?? explain(this.bus, task);
  }

  private async blocked(task: reader.FoundTask): Promise<Waiting> {
    const { id, statusReason, awaitedChildren } = task;
    if (statusReason === 'dependency') {
      const dependencies = await reader.findDependenciesOf(this.pool, task);
      const unmet = dependencies.filter((dependency) => !isMet(dependency));
      const nextStep = 'It becomes ready when these tasks complete';
      return { reason: 'BLOCKED_BY_DEPENDENCY', evidence: { unmet }, nextStep };
    }
    if (statusReason === 'children') {
      const children = (await findAwaitable(this.pool, [id])).get(id) ?? [];
      const unfinished = children.filter(({ status }) => !isTerminal(status));
      const nextStep = 'It becomes ready when enough of these tasks have ended';
      return { reason: 'BLOCKED_BY_CHILDREN', evidence: { awaited: awaitedChildren, unfinished }, nextStep };
    }
    const question = (await findQuestions(this.pool, [id])).get(id)?.at(-1) ?? null;
    const word = statusReason === 'external' ? 'unblock' : 'answer';
    return {
      reason: 'BLOCKED_BY_QUESTION',
      evidence: { waitsFor: statusReason, question },
      nextStep: `Say what it asks for: POST /v1/tasks/${id}/${word}`,
    };
  }
}

/** Only the distribution knows the live fleet. */
function explain(bus: Bus, task: reader.FoundTask): Promise<Waiting> {
  return askDistribution(bus, SERVICE_SUBJECTS.explain, toQueuedTask(task), explainAnswer);
}

function delayOf({ attempt, statusReason }: reader.FoundTask): Waiting['reason'] {
  if (statusReason === 'rate_limited') return 'RATE_LIMITED';
  return attempt > 0 ? 'BACKOFF' : 'DELAYED_UNTIL';
}
