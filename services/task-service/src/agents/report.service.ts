import {
  DomainError,
  LIMITS,
  parse,
  taskCommands,
  type ErrorCode,
  type TaskAnswer,
  type TaskItemsAnswer,
} from '@baton/contracts';
import type { z } from 'zod';
import type { AccessService } from '../access/access.service.js';
import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import type { Fence } from '../tasks/task.state.js';
import { refusalOf } from './refusal.service.js';
import {
  lockWorkedOn,
  saveArtifacts,
  saveCheckpoints,
  saveLines,
  type HeldTask,
  type Report,
  type SaveReports,
} from './report.store.js';
import { eachItem, orRefusal, refused } from './task-items.js';

/**
 * `agent.<id>.task.{log|artifact|checkpoint}`: what the holder of a task leaves with it, unversioned. Saved under the
 * task's lock, so an answer of success means that it was the holder's word, and that a later attempt finds it. Four
 * round trips a message, of those who use it alone.
 */
export class ReportService {
  constructor(
    private readonly pool: Pool,
    private readonly access: AccessService,
  ) {}

  log(agentId: string, body: unknown): Promise<TaskAnswer | TaskItemsAnswer> {
    return this.take(LOG, agentId, body);
  }

  artifact(agentId: string, body: unknown): Promise<TaskAnswer | TaskItemsAnswer> {
    return this.take(ARTIFACT, agentId, body);
  }

  checkpoint(agentId: string, body: unknown): Promise<TaskAnswer | TaskItemsAnswer> {
    return this.take(CHECKPOINT, agentId, body);
  }

  private take<R extends object>(kind: Kind<R>, agentId: string, body: unknown) {
    return eachItem(body, async (items) => {
      const said = items.map((item) => orRefusal(() => parse(kind.schema, item, 'Report')));
      const valid = said.filter((one): one is Said<R> => !(one instanceof DomainError));
      const outcomes = valid.length === 0 ? undefined : await this.save(kind, agentId, valid);
      return Promise.all(
        said.map(async (one): Promise<TaskAnswer> => {
          if (one instanceof DomainError) return refused(one);
          const { taskId, attempt, epoch } = one;
          const fence = { agentId, attempt, epoch };
          const outcome = outcomes?.get(one) ?? (await this.refusalOf(taskId, fence));
          return outcome instanceof DomainError ? refused(outcome) : { ok: true, ...outcome };
        }),
      );
    });
  }

  private async refusalOf(taskId: string, fence: Fence): Promise<DomainError> {
    return this.access.mayHear(fence.agentId, taskId, await refusalOf(this.pool, taskId, fence));
  }

  /** What came of those that passed the fence. */
  private save<R extends object>(kind: Kind<R>, agentId: string, said: readonly Said<R>[]) {
    return inTransaction(this.pool, async (client) => {
      const ids = [...new Set(said.map(({ taskId }) => taskId))];
      const held = await lockWorkedOn(client, agentId, ids);
      const passed = said.flatMap((report) => {
        const task = held.get(report.taskId);
        return task !== undefined && isOf(report, task) ? [{ report, task }] : [];
      });
      if (passed.length === 0) return undefined;
      const reports = passed.map(({ report }) => report);
      const hasRoom = await kind.save(client, reports);
      return new Map(
        passed.map(({ report, task }, index) => [report, outcomeOf(kind, report, task, hasRoom[index])]),
      );
    });
  }
}

type Said<R> = Report<R> & { readonly epoch: number };

type Kind<R> = {
  readonly schema: z.ZodType<Said<R>>;
  readonly save: SaveReports<R>;
  /** What is said when there is no room; without it there always is. */
  readonly full?: readonly [ErrorCode, string];
};

const LOG = {
  schema: taskCommands.log,
  save: saveLines,
  full: ['TOO_MANY_LOG_LINES', `${LIMITS.logLines} lines in its log; keep a longer one as an artifact`],
} as const;
const ARTIFACT = {
  schema: taskCommands.artifact,
  save: saveArtifacts,
  full: [
    'TOO_MANY_ARTIFACTS',
    `${LIMITS.artifacts} artifacts; replace one by its name, or put several into one`,
  ],
} as const;
const CHECKPOINT = { schema: taskCommands.checkpoint, save: saveCheckpoints } as const;

function isOf(report: Said<object>, task: HeldTask): boolean {
  return task.attempt === report.attempt && task.epoch === report.epoch;
}

function outcomeOf<R>(
  { full }: Kind<R>,
  { taskId }: Report<R>,
  { status, attempt, version }: HeldTask,
  hasRoom: boolean | undefined,
) {
  if (hasRoom === true || full === undefined) return { taskId, status, attempt, version };
  const [code, most] = full;
  return new DomainError(code, `Task ${taskId} has at most ${most}`);
}
