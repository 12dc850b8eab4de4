import {
  DomainError,
  parse,
  taskCommands,
  type Actor,
  type ProgressCommand,
  type TaskAnswer,
  type TaskItemsAnswer,
} from '@baton/contracts';
import type { AccessService } from '../access/access.service.js';
import type { Pool } from '../database/database.js';
import type { Accepted } from '../tasks/task.js';
import { HELD_WORDS, type SaidCommand } from '../tasks/task.words.js';
import type { UsageService } from '../usage/usage.service.js';
import type { WatchService } from '../watching/watch.service.js';
import type { AdmissionService } from '../types/admission.service.js';
import { answerOnce } from '../write-path/answer.keys.js';
import type { Idempotency } from '../write-path/submission.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { saveProgress } from './progress.store.js';
import { refusalOf } from './refusal.service.js';
import { eachItem, orRefusal, refused } from './task-items.js';

/** `agent.<id>.task.<verb>`: one command or several in one message, each judged and answered on its own. */
export class TaskVerbsService {
  constructor(
    private readonly pool: Pool,
    private readonly writePath: WritePath,
    private readonly usage: UsageService,
    private readonly admission: AdmissionService,
    private readonly watches: WatchService,
    private readonly access: AccessService,
  ) {}

  async state(
    verb: HeldVerb,
    agentId: string,
    body: unknown,
    traceparent: string | undefined,
  ): Promise<TaskAnswer | TaskItemsAnswer> {
    return eachItem(body, async (items) => {
      const said = items.map((item) => orRefusal(() => HELD_WORDS[verb].ofMessage(agentId, item)));
      await this.usage.keep(
        agentId,
        said.map((one) => (one instanceof DomainError ? undefined : one.used)),
      );
      return Promise.all(
        said.map((one, index) => this.submit(agentId, one, sizeOf(verb, items[index]), traceparent ?? null)),
      );
    });
  }

  async progress(agentId: string, body: unknown): Promise<TaskAnswer | TaskItemsAnswer> {
    return eachItem(body, async (items) => {
      const parsed = items.map((item) => orRefusal(() => parse(taskCommands.progress, item, 'progress')));
      const valid = parsed.filter((item): item is ProgressCommand => !(item instanceof DomainError));
      const reported = (await this.report(agentId, valid)).values();
      return Promise.all(
        parsed.map(async (item): Promise<TaskAnswer> => {
          if (item instanceof DomainError) return refused(item);
          const outcome = reported.next().value;
          if (outcome === undefined) throw new Error('progress was taken without an outcome');
          if (!(outcome instanceof DomainError)) return { ok: true, ...outcome };
          return refused(await this.access.mayHear(agentId, item.taskId, outcome));
        }),
      );
    });
  }

  /** What came of each report, refusals among them, in the order given. */
  async report(
    agentId: string,
    items: readonly ProgressCommand[],
  ): Promise<readonly (Accepted | DomainError)[]> {
    if (items.length === 0) return [];
    const told = items.map(({ taskId, attempt, usage }) => usage && { taskId, attempt, usage });
    const [saved] = await Promise.all([
      saveProgress(this.pool, agentId, items),
      this.usage.keep(agentId, told),
    ]);
    this.watches.progressed(items.filter(({ taskId }) => saved.has(taskId)));
    return Promise.all(
      items.map(async (item) => {
        const task = saved.get(item.taskId);
        return task === undefined
          ? refusalOf(this.pool, item.taskId, { agentId, ...item })
          : { taskId: item.taskId, ...task };
      }),
    );
  }

  /** One report, taken once with one key; throws what it was refused for. */
  reportOnce(agentId: string, item: ProgressCommand, idempotency: Idempotency | undefined) {
    return answerOnce(this.pool, idempotency, async () => {
      const [outcome] = await this.report(agentId, [item]);
      if (outcome === undefined) throw new Error('progress was taken without an outcome');
      if (outcome instanceof DomainError) throw outcome;
      return outcome;
    });
  }

  private async submit(
    agentId: string,
    said: SaidCommand | DomainError,
    bytes: number,
    traceparent: string | null,
  ): Promise<TaskAnswer> {
    if (said instanceof DomainError) return refused(said);
    const settled = await this.writePath.submit({
      command: await this.admission.judged(said.command),
      commandId: said.commandId,
      actor: `agent:${agentId}` satisfies Actor,
      traceparent: said.traceparent ?? traceparent,
      bytes,
    });
    if (settled instanceof DomainError)
      return refused(await this.access.mayHear(agentId, said.command.taskId, settled));
    const [accepted] = settled.accepted;
    if (accepted === undefined) throw new Error(`${said.command.kind} was accepted without an outcome`);
    return { ok: true, ...accepted };
  }
}

/** About how large the command is that a message stands for. */
function sizeOf(verb: HeldVerb, item: unknown): number {
  return verb === 'complete' ? JSON.stringify(item).length : 64;
}

type HeldVerb = keyof typeof HELD_WORDS;
