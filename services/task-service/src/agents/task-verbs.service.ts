import {
  DomainError,
  parse,
  taskCommands,
  taskItems,
  type Actor,
  type ProgressCommand,
  type TaskAnswer,
  type TaskItemsAnswer,
  type TaskVerb,
} from '@baton/contracts';
import type { z } from 'zod';
import type { Pool } from '../database/database.js';
import { refuseStale } from '../tasks/task.decide.js';
import { lockTasks } from '../tasks/task.store.js';
import type { Fence, TaskCommand } from '../tasks/task.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { saveProgress } from './progress.store.js';

type Parsed<V extends TaskVerb> = z.infer<(typeof taskCommands)[V]>;
type StateVerb = Exclude<TaskVerb, 'progress'>;

/** How each verb becomes a command of the write path; the agent's id is the subject's, never the payload's. */
const TO_COMMAND: { readonly [V in StateVerb]: (parsed: Parsed<V>, fence: Fence) => TaskCommand } = {
  start: ({ taskId }, fence) => ({ kind: 'start', taskId, fence }),
  complete: ({ taskId, result }, fence) => ({ kind: 'complete', taskId, fence, result: result ?? null }),
  fail: ({ taskId, error }, fence) => ({ kind: 'fail', taskId, fence, error }),
  return: ({ taskId, reason }, fence) => ({ kind: 'return', taskId, fence, reason }),
};

/** `agent.<id>.task.<verb>`: one command or several in one message, each judged and answered on its own. */
export class TaskVerbsService {
  constructor(
    private readonly pool: Pool,
    private readonly writePath: WritePath,
  ) {}

  async state<V extends StateVerb>(
    verb: V,
    agentId: string,
    body: unknown,
    traceparent: string | undefined,
  ): Promise<TaskAnswer | TaskItemsAnswer> {
    return eachItem(body, (items) =>
      Promise.all(items.map((item) => this.submit(verb, agentId, item, traceparent ?? null))),
    );
  }

  async progress(agentId: string, body: unknown): Promise<TaskAnswer | TaskItemsAnswer> {
    return eachItem(body, async (items) => {
      const parsed = items.map((item) => parsedOrRefused('progress', item));
      const valid = parsed.filter((item): item is ProgressCommand => !(item instanceof DomainError));
      const saved = valid.length === 0 ? new Set<string>() : await saveProgress(this.pool, agentId, valid);
      return Promise.all(parsed.map((item) => this.progressAnswer(agentId, item, saved)));
    });
  }

  private async submit<V extends StateVerb>(
    verb: V,
    agentId: string,
    item: unknown,
    traceparent: string | null,
  ): Promise<TaskAnswer> {
    const parsed = parsedOrRefused(verb, item);
    if (parsed instanceof DomainError) return refused(parsed);
    const settled = await this.writePath.submit({
      command: TO_COMMAND[verb](parsed, { agentId, attempt: parsed.attempt, epoch: parsed.epoch }),
      actor: `agent:${agentId}` satisfies Actor,
      traceparent,
      commandId: parsed.commandId,
      bytes: verb === 'complete' ? JSON.stringify(item).length : 64,
    });
    if (settled instanceof DomainError) return refused(settled);
    const [accepted] = settled.accepted;
    if (accepted === undefined) throw new Error(`${verb} was accepted without an outcome`);
    return { ok: true, ...accepted };
  }

  /** Progress the fence refused is told apart as a state command would be. */
  private async progressAnswer(
    agentId: string,
    item: ProgressCommand | DomainError,
    saved: ReadonlySet<string>,
  ): Promise<TaskAnswer> {
    if (item instanceof DomainError) return refused(item);
    const { taskId, attempt, epoch } = item;
    const found = (await lockTasks(this.pool, [taskId])).get(taskId);
    if (found === undefined) return refused(new DomainError('TASK_NOT_FOUND', `There is no task ${taskId}`));
    const { task, liveEpoch } = found;
    if (!saved.has(taskId)) {
      const refusal = refuseStale(task, { liveEpoch }, { agentId, attempt, epoch });
      const conflict = `Task ${taskId} is ${task.status}; start it before reporting progress`;
      return refused(refusal ?? new DomainError('TASK_STATE_CONFLICT', conflict));
    }
    return { ok: true, taskId, status: task.status, attempt: task.attempt, version: task.version };
  }
}

async function eachItem(
  body: unknown,
  answer: (items: readonly unknown[]) => Promise<readonly TaskAnswer[]>,
): Promise<TaskAnswer | TaskItemsAnswer> {
  const isBatch = typeof body === 'object' && body !== null && 'items' in body;
  const items = isBatch ? parse(taskItems, body, 'Items').items : [body];
  const answers = await answer(items);
  const [first] = answers;
  return isBatch || first === undefined ? { ok: true, items: answers } : first;
}

function parsedOrRefused<V extends TaskVerb>(verb: V, item: unknown): Parsed<V> | DomainError {
  try {
    return parse(taskCommands[verb] as unknown as z.ZodType<Parsed<V>>, item, verb);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

function refused(error: DomainError): TaskAnswer {
  return { ok: false, error: error.toBody() };
}
