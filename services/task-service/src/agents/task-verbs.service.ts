import {
  DomainError,
  parse,
  taskCommands,
  taskItems,
  type Actor,
  type ProgressCommand,
  type TaskAnswer,
  type TaskItemsAnswer,
} from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { refuseStale } from '../tasks/task.decide.js';
import { readTasks } from '../tasks/task.store.js';
import type { Accepted } from '../tasks/task.js';
import { HELD_WORDS } from '../tasks/task.words.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { saveProgress } from './progress.store.js';

/** `agent.<id>.task.<verb>`: one command or several in one message, each judged and answered on its own. */
export class TaskVerbsService {
  constructor(
    private readonly pool: Pool,
    private readonly writePath: WritePath,
  ) {}

  async state(
    verb: HeldVerb,
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
      const parsed = items.map((item) => orRefusal(() => parse(taskCommands.progress, item, 'progress')));
      const valid = parsed.filter((item): item is ProgressCommand => !(item instanceof DomainError));
      const reported = (await this.report(agentId, valid)).values();
      return parsed.map((item) => {
        const outcome = item instanceof DomainError ? item : reported.next().value;
        if (outcome === undefined) throw new Error('progress was taken without an outcome');
        return outcome instanceof DomainError ? refused(outcome) : { ok: true, ...outcome };
      });
    });
  }

  /** What came of each report, refusals among them, in the order given. */
  async report(
    agentId: string,
    items: readonly ProgressCommand[],
  ): Promise<readonly (Accepted | DomainError)[]> {
    if (items.length === 0) return [];
    const saved = await saveProgress(this.pool, agentId, items);
    return Promise.all(
      items.map(async (item) => {
        const task = saved.get(item.taskId);
        return task === undefined ? this.refusalOf(agentId, item) : { taskId: item.taskId, ...task };
      }),
    );
  }

  private async submit(
    verb: HeldVerb,
    agentId: string,
    item: unknown,
    traceparent: string | null,
  ): Promise<TaskAnswer> {
    const said = orRefusal(() => HELD_WORDS[verb].ofMessage(agentId, item));
    if (said instanceof DomainError) return refused(said);
    const settled = await this.writePath.submit({
      ...said,
      actor: `agent:${agentId}` satisfies Actor,
      traceparent,
      bytes: verb === 'complete' ? JSON.stringify(item).length : 64,
    });
    if (settled instanceof DomainError) return refused(settled);
    const [accepted] = settled.accepted;
    if (accepted === undefined) throw new Error(`${verb} was accepted without an outcome`);
    return { ok: true, ...accepted };
  }

  /** Progress the fence refused is told apart as a state command would be. */
  private async refusalOf(
    agentId: string,
    { taskId, attempt, epoch }: ProgressCommand,
  ): Promise<DomainError> {
    const found = (await readTasks(this.pool, [taskId])).get(taskId);
    if (found === undefined) return new DomainError('TASK_NOT_FOUND', `There is no task ${taskId}`);
    const conflict = `Task ${taskId} is ${found.task.status}; start it before reporting progress`;
    const refusal = refuseStale(found.task, found, { agentId, attempt, epoch });
    return refusal ?? new DomainError('TASK_STATE_CONFLICT', conflict);
  }
}

type HeldVerb = keyof typeof HELD_WORDS;

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

function orRefusal<T>(work: () => T): T | DomainError {
  try {
    return work();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

function refused(error: DomainError): TaskAnswer {
  return { ok: false, error: error.toBody() };
}
