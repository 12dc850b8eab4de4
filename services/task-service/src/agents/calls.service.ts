import { hash } from 'node:crypto';
import {
  callAck,
  callAgents,
  callCreate,
  callGet,
  callInbox,
  callList,
  callSpawn,
  DomainError,
  LIMITS,
  parse,
  parseFilter,
  type CallCreate,
  type CallCreateAnswer,
} from '@baton/contracts';
import type { AccessService } from '../access/access.service.js';
import type { Pool } from '../database/database.js';
import type { ListService } from '../tasks/list.service.js';
import { activeTraceparent } from '@baton/telemetry';
import { findBelowHeldBy } from '../tasks/relation.store.js';
import type { Caller, TaskService } from '../tasks/task.service.js';
import { CALL_WORDS, type SaidCommand } from '../tasks/task.words.js';
import type { AdmissionService } from '../types/admission.service.js';
import { findAccepted } from '../write-path/event.store.js';
import { findConnected } from './named.store.js';
import { acknowledgeInbox, findInbox } from './inbox.store.js';

/** What an agent sent, and which one. */
export type Request = {
  readonly agentId: string;
  readonly body: unknown;
  readonly traceparent: string | undefined;
};

/** Leaves room for the rest of the answer. */
const LIST_BYTES = LIMITS.agentMessageBytes - 4 * 1024;

/** `agent.<id>.call.<verb>`: what an agent may ask for beside its work. */
export class CallsService {
  constructor(
    private readonly pool: Pool,
    private readonly tasks: TaskService,
    private readonly lists: ListService,
    private readonly admission: AdmissionService,
    private readonly access: AccessService,
  ) {}

  async create(request: Request): Promise<CallCreateAnswer> {
    const keyOf = (said: CallCreate) => idempotencyOf(request, said);
    return this.createWith(request, await this.admission.parseNew(callCreate, request.body, 'create', keyOf));
  }

  async spawn(request: Request): Promise<CallCreateAnswer> {
    const keyOf = (said: CallCreate) => idempotencyOf(request, said);
    return this.createWith(request, await this.admission.parseNew(callSpawn, request.body, 'spawn', keyOf));
  }

  async get({ agentId, body }: Request) {
    const { taskId } = parse(callGet, body, 'get');
    return { ok: true, task: await this.access.expectAgent(agentId, 'task.read', taskId) };
  }

  /** What the agent created or had last; with `parent` or `root`, all that is below a task it holds. */
  async list({ agentId, body }: Request) {
    const query = parse(callList, body, 'list');
    const above = parseFilter(query.q).find(({ field }) => field === 'parent' || field === 'root');
    const seesAll =
      above && 'is' in above && (await findBelowHeldBy(this.pool, agentId, [above.is])).size > 0;
    const scope = { maxBytes: LIST_BYTES, ...(seesAll ? {} : { relatedTo: agentId }) };
    return { ok: true, ...(await this.lists.page(query, scope)) };
  }

  async command(word: keyof typeof CALL_WORDS, { agentId, body, traceparent }: Request) {
    const said = CALL_WORDS[word](body);
    const { taskId } = said.command;
    const before = await this.repeated(said, agentId);
    if (before) return { ok: true, ...before };
    await this.access.expectAgent(agentId, `task.${word}`, taskId);
    if (said.command.kind === 'link') await this.refuseUnseen(agentId, said.command.dependsOn);
    const by = caller(agentId, traceparent, JSON.stringify(body).length);
    const { accepted } = await this.tasks.command(said, by);
    return { ok: true, ...accepted };
  }

  async agents({ agentId, body }: Request) {
    const { capability } = parse(callAgents, body, 'agents');
    return { ok: true, agents: await findConnected(this.pool, agentId, capability ?? null) };
  }

  async inbox({ agentId, body }: Request) {
    const { limit } = parse(callInbox, body, 'inbox');
    return { ok: true, ...(await findInbox(this.pool, agentId, limit)) };
  }

  async acknowledge({ agentId, body }: Request) {
    const { ids } = parse(callAck, body, 'ack');
    return { ok: true, acknowledged: await acknowledgeInbox(this.pool, agentId, ids) };
  }

  private async createWith(sent: Request, request: CallCreate): Promise<CallCreateAnswer> {
    const { agentId, body, traceparent } = sent;
    const { parent } = request;
    const idempotency = idempotencyOf(sent, request);
    const bytes = JSON.stringify(body).length;
    const by = { ...caller(agentId, traceparent, bytes), ...(idempotency ? { idempotency } : {}) };
    const under = parent && {
      taskId: parent.taskId,
      fence: { agentId, attempt: parent.attempt, epoch: parent.epoch },
    };
    const { tasks, replayed } = await this.tasks
      .createWhat(request, by, under)
      .catch(async (error: unknown) => {
        if (under === undefined || !(error instanceof DomainError)) throw error;
        throw await this.access.mayHear(agentId, under.taskId, error);
      });
    return { ok: true, tasks, ...(replayed ? { replayed } : {}) };
  }

  private async refuseUnseen(agentId: string, dependsOn: string): Promise<void> {
    try {
      await this.access.expectAgent(agentId, 'task.read', dependsOn);
    } catch (error) {
      if (!(error instanceof DomainError && error.code === 'TASK_NOT_FOUND')) throw error;
      throw new DomainError('DEPENDENCY_NOT_FOUND', `There is no task ${dependsOn} to depend on`);
    }
  }

  /** A task that is gone cannot be looked at: the repetition of what removed it is answered like the first. */
  private async repeated({ command, commandId }: SaidCommand, agentId: string) {
    if (command.kind !== 'delete' || commandId === null) return undefined;
    const accepted = await findAccepted(this.pool, [{ taskId: command.taskId, commandId }]);
    const first = accepted.find(({ actor }) => actor === `agent:${agentId}`);
    if (first === undefined) return undefined;
    const { taskId, status, attempt, version } = first;
    return { taskId, status, attempt, version };
  }
}

/** Inside a parent the key is the parent's: the next attempt finds the children of the first. */
function idempotencyOf({ agentId, body }: Request, { parent, idempotencyKey: key }: CallCreate) {
  if (key === undefined) return undefined;
  const scope = parent === undefined ? `agent:${agentId}` : `parent:${parent.taskId}`;
  return { scope, key, fingerprint: hash('sha256', JSON.stringify(body), 'base64url') };
}

function caller(agentId: string, traceparent: string | undefined, bytes: number): Caller {
  return { actor: `agent:${agentId}`, traceparent: activeTraceparent() ?? traceparent ?? null, bytes };
}
