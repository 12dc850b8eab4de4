import { randomUUID } from 'node:crypto';
import {
  agentSubject,
  DomainError,
  LIMITS,
  WAIT_LIMITS,
  type CallCreateInput,
  type CallVerb,
  type ConnectedAgent,
  type CreatedTask,
  type CreateGraphInput,
  type CreateTaskInput,
  type JsonValue,
  type ParentFence,
  type PatchTaskInput,
  type ReopenTaskInput,
  type DecisionView,
  type TaskDetail,
  type TaskHistoryEntry,
  type TaskPage,
} from '@baton/contracts';
import type {
  Answer,
  CreateOptions,
  LinkOptions,
  TaskQuery,
  UpdateOptions,
  WaitOptions,
} from './call-options.js';
import { activeTraceparent } from '@baton/telemetry';
import { backOffMs, pause } from './back-off.js';
import { mayPass } from './errors.js';
import type { Connection } from './connection.js';

/** An outage longer than this reaches the caller as `UNAVAILABLE`. */
const PATIENCE_MS = 60_000;
const WAIT_MARGIN_MS = 5_000;

/** What an agent asks of Baton outside of its tasks' lives. Refusals reject with a `DomainError`. */
export type Calls = {
  /** `create`, or `spawn` when a parent is given. */
  create(
    what: CreateTaskInput | readonly CreateTaskInput[] | CreateGraphInput,
    options: CreateOptions & { readonly parent?: ParentFence; readonly traceparent?: string | null },
    signal?: AbortSignal,
  ): Promise<CreatedTask | readonly CreatedTask[]>;
  get(taskId: string, signal?: AbortSignal): Promise<TaskDetail>;
  /** Resolves with the task when it has ended, or as it is after `timeoutMs`. */
  wait(taskId: string, options?: WaitOptions): Promise<TaskDetail>;
  /** Every accepted change behind version `after`, a page of them. */
  history(taskId: string, after?: number): Promise<readonly TaskHistoryEntry[]>;
  /** Why a task is with its agent, or waits. */
  decision(taskId: string): Promise<DecisionView>;
  /** Tasks this agent created or had last, a page at a time; with `parent:` or `root:`, all below a task it holds. */
  list(query?: TaskQuery): Promise<TaskPage>;
  /**
   * Changes fields of a task this agent created: null sets one back to what it is in a new task; `metadata`, `input`
   * and `context` are merged. Answers the version it is at now.
   */
  update(taskId: string, changes: PatchTaskInput, options?: UpdateOptions): Promise<{ version: number }>;
  /** Lets a task begin anew that this agent created and that failed or was cancelled. */
  reopen(taskId: string, changes?: ReopenTaskInput): Promise<void>;
  /** Removes a task that this agent created, that has ended or is held back and that no other waits for. */
  delete(taskId: string): Promise<void>;
  /** Lets a task go on that this agent created with `hold`. */
  release(taskId: string): Promise<void>;
  /** Has a task this agent created, and that was not started, wait for another one too. */
  link(taskId: string, dependsOn: string, options?: LinkOptions): Promise<void>;
  unlink(taskId: string, dependsOn: string): Promise<void>;
  /** Says that what a task this agent created waits for outside of Baton has happened. */
  unblock(taskId: string, answer?: JsonValue): Promise<void>;
  cancel(taskId: string, reason?: string): Promise<void>;
  /** Answers what a task is blocked for, or says that there is no answer: its creator may, and who holds an ancestor. */
  answer(taskId: string, answer: Answer): Promise<void>;
  /** The agents this one is connected to, whom it may hand work on to, with what they can do and room they have. */
  agents(capability?: string, signal?: AbortSignal): Promise<readonly ConnectedAgent[]>;
  acknowledge(inboxIds: readonly string[]): Promise<void>;
};

/** Outages are waited out for a minute; `stopped` ends the waiting. */
export function createCalls(options: {
  readonly id: string;
  readonly connection: Connection;
  readonly stopped: AbortSignal;
}): Calls {
  const { id, connection, stopped } = options;

  async function call(
    verb: CallVerb,
    body: object,
    {
      signal = stopped,
      traceparent = activeTraceparent(),
      timeoutMs,
    }: { signal?: AbortSignal; traceparent?: string | null | undefined; timeoutMs?: number } = {},
  ): Promise<Record<string, unknown>> {
    const subject = agentSubject.call(id, verb);
    const payload = JSON.stringify(body);
    refuseTooLarge(verb, Buffer.byteLength(payload));
    const patience = performance.now() + PATIENCE_MS;
    for (let failures = 0; ; failures += 1) {
      signal.throwIfAborted();
      try {
        const longer = timeoutMs === undefined ? {} : { timeoutMs };
        return await connection.request(subject, payload, { traceparent, ...longer });
      } catch (error) {
        if (!mayPass(error) || performance.now() > patience) throw error;
      }
      await pause(backOffMs(failures), signal);
    }
  }

  /** The same id in every try: one that was accepted and not answered is not refused the second time. */
  function command(verb: CallVerb, taskId: string, fields: object = {}) {
    return call(verb, { taskId, commandId: randomUUID(), ...fields });
  }

  return {
    async create(what, { parent, traceparent, idempotencyKey = randomUUID() }, signal = stopped) {
      const body: CallCreateInput = { ...toBody(what), idempotencyKey, ...(parent ? { parent } : {}) };
      const answer = await call(parent ? 'spawn' : 'create', body, { signal, traceparent });
      const tasks = answer['tasks'] as readonly CreatedTask[];
      return body.task ? (tasks[0] as CreatedTask) : tasks;
    },
    async get(taskId, signal = stopped) {
      return (await call('get', { taskId }, { signal }))['task'] as TaskDetail;
    },
    async list(query = {}) {
      const answer = await call('list', query);
      return { data: answer['data'], page: answer['page'] } as TaskPage;
    },
    async wait(taskId, { timeoutMs = Infinity, signal = stopped } = {}) {
      const until = performance.now() + timeoutMs;
      for (;;) {
        const left = Math.ceil(Math.min(Math.max(0, until - performance.now()), WAIT_LIMITS.callMs));
        // Longer than it is held, so that an answer that says "not yet" is no outage.
        const patience = { signal, timeoutMs: left + WAIT_MARGIN_MS };
        const answer = await call('wait', { taskId, timeoutMs: left }, patience);
        if (answer['ended'] === true || performance.now() >= until) return answer['task'] as TaskDetail;
      }
    },
    async history(taskId, after = 0) {
      return (await call('history', { taskId, after }))['data'] as readonly TaskHistoryEntry[];
    },
    async decision(taskId) {
      const { ok: _, ...decision } = await call('decision', { taskId });
      return decision as DecisionView;
    },
    async update(taskId, changes, { version } = {}) {
      const answer = await command('update', taskId, {
        changes,
        ...(version === undefined ? {} : { version }),
      });
      return { version: answer['version'] as number };
    },
    async reopen(taskId, changes = {}) {
      await command('reopen', taskId, { changes });
    },
    async delete(taskId) {
      await command('delete', taskId);
    },
    async release(taskId) {
      await command('release', taskId);
    },
    async link(taskId, dependsOn, linkOptions = {}) {
      await command('link', taskId, { dependsOn, ...linkOptions });
    },
    async unlink(taskId, dependsOn) {
      await command('unlink', taskId, { dependsOn });
    },
    async unblock(taskId, answer) {
      await command('unblock', taskId, answer === undefined ? {} : { answer });
    },
    async cancel(taskId, reason) {
      await command('cancel', taskId, reason === undefined ? {} : { reason });
    },
    async answer(taskId, answer) {
      await command('answer', taskId, answer);
    },
    async agents(capability, signal = stopped) {
      const body = capability === undefined ? {} : { capability };
      return (await call('agents', body, { signal }))['agents'] as readonly ConnectedAgent[];
    },
    async acknowledge(ids) {
      await call('ack', { ids });
    },
  };
}

function toBody(what: CreateTaskInput | readonly CreateTaskInput[] | CreateGraphInput): CallCreateInput {
  if (Array.isArray(what)) return { tasks: what as readonly CreateTaskInput[] };
  if ('tasks' in what) return { graph: what };
  return { task: what as CreateTaskInput };
}

function refuseTooLarge(verb: CallVerb, bytes: number): void {
  if (bytes <= LIMITS.agentMessageBytes) return;
  throw new DomainError(
    'PAYLOAD_TOO_LARGE',
    `expected at most ${LIMITS.agentMessageBytes} bytes for ${verb}, got ${bytes}; create fewer tasks at once`,
  );
}
