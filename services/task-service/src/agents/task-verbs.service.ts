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
import type { Pool } from '../database/database.js';
import { refuseStale } from '../tasks/task.decide.js';
import { readTasks } from '../tasks/task.store.js';
import type { TaskCommand } from '../tasks/task.state.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { saveProgress } from './progress.store.js';

type StateVerb = Exclude<TaskVerb, 'progress'>;
type ParsedCommand = { readonly command: TaskCommand; readonly commandId: string };

/** The command an agent's words stand for; the agent's id is the subject's, never the payload's. */
function toCommand(verb: StateVerb, agentId: string, item: unknown): ParsedCommand {
  switch (verb) {
    case 'start': {
      const { taskId, commandId, ...fence } = parse(taskCommands.start, item, verb);
      return { command: { kind: verb, taskId, fence: { agentId, ...fence } }, commandId };
    }
    case 'complete': {
      const { taskId, commandId, result = null, ...fence } = parse(taskCommands.complete, item, verb);
      return { command: { kind: verb, taskId, fence: { agentId, ...fence }, result }, commandId };
    }
    case 'fail': {
      const { taskId, commandId, error, ...fence } = parse(taskCommands.fail, item, verb);
      return { command: { kind: verb, taskId, fence: { agentId, ...fence }, error }, commandId };
    }
    case 'return': {
      const { taskId, commandId, reason, ...fence } = parse(taskCommands.return, item, verb);
      return { command: { kind: verb, taskId, fence: { agentId, ...fence }, reason }, commandId };
    }
  }
}

/** `agent.<id>.task.<verb>`: one command or several in one message, each judged and answered on its own. */
export class TaskVerbsService {
  constructor(
    private readonly pool: Pool,
    private readonly writePath: WritePath,
  ) {}

  async state(
    verb: StateVerb,
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
      const saved = valid.length === 0 ? NOTHING_SAVED : await saveProgress(this.pool, agentId, valid);
      return Promise.all(parsed.map((item) => this.progressAnswer(agentId, item, saved)));
    });
  }

  private async submit(
    verb: StateVerb,
    agentId: string,
    item: unknown,
    traceparent: string | null,
  ): Promise<TaskAnswer> {
    const parsed = orRefusal(() => toCommand(verb, agentId, item));
    if (parsed instanceof DomainError) return refused(parsed);
    const settled = await this.writePath.submit({
      ...parsed,
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
  private async progressAnswer(
    agentId: string,
    item: ProgressCommand | DomainError,
    saved: Awaited<ReturnType<typeof saveProgress>>,
  ): Promise<TaskAnswer> {
    if (item instanceof DomainError) return refused(item);
    const { taskId, attempt, epoch } = item;
    const task = saved.get(taskId);
    if (task !== undefined) return { ok: true, taskId, ...task };
    const found = (await readTasks(this.pool, [taskId])).get(taskId);
    if (found === undefined) return refused(new DomainError('TASK_NOT_FOUND', `There is no task ${taskId}`));
    const refusal = refuseStale(found.task, found, { agentId, attempt, epoch });
    const conflict = `Task ${taskId} is ${found.task.status}; start it before reporting progress`;
    return refused(refusal ?? new DomainError('TASK_STATE_CONFLICT', conflict));
  }
}

const NOTHING_SAVED: Awaited<ReturnType<typeof saveProgress>> = new Map();

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
