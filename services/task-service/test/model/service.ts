import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { Fixture, Json } from '../fixture.js';
import { DECISION } from '../task.fixture.js';
import { CAPACITY, type Answer } from './model.js';
import type { Held, Word, WordOf } from './words.js';

/** What the service answered, in the words of the model, and the tasks that came of it. */
export type Said = { readonly answer: Answer; readonly ids: readonly string[] };

type Speakers = { readonly [Kind in Word['kind']]: (fixture: Fixture, word: WordOf<Kind>) => Promise<Said> };

/** Says a word to the running service, as its client would: over HTTP, as an agent, as a distributor. */
export function sayTo(fixture: Fixture, word: Word): Promise<Said> {
  const speak = SPEAKERS[word.kind] as (fixture: Fixture, word: Word) => Promise<Said>;
  return speak(fixture, word);
}

const RETRY_AT_ONCE = { kind: 'fixed', baseSeconds: 0, jitter: false };
const FRESH = { title: 'of the model', startTimeout: 3_600, retryPolicy: RETRY_AT_ONCE };

const SPEAKERS: Speakers = {
  async create(fixture, { task: { needs, ...task }, key }) {
    const body = {
      ...FRESH,
      ...task,
      dependencies: needs.map(({ id: taskId, policy }) => ({ taskId, policy })),
    };
    const headers: Record<string, string> = key === null ? {} : { 'idempotency-key': key };
    return fromHttp(await fixture.http('POST', '/v1/tasks', body, headers));
  },
  async batch(fixture, { maxRetries }) {
    const tasks = [FRESH, FRESH].map((task) => ({ ...task, maxRetries }));
    const { body } = await fixture.http('POST', '/v1/tasks/batch', { tasks, atomic: true });
    return created(body.tasks);
  },
  async chain(fixture, { policy }) {
    const tasks = ['x', 'y', 'z'].map((ref, index, refs) => ({
      ...FRESH,
      ref,
      dependencies: index === 0 ? [] : [{ ref: refs[index - 1], policy }],
    }));
    const { body } = await fixture.http('POST', '/v1/tasks/graph', { tasks });
    return created(body.tasks);
  },
  async spawn(fixture, { agent, task: taskId, attempt, epoch, detached, maxRetries }) {
    const task = { ...FRESH, detached, maxRetries };
    const request = { task, parent: { taskId, attempt, epoch } };
    const answer = await fixture.ask(`agent.${agent}.call.spawn`, request);
    return answer.ok ? created(answer.tasks) : fromNats(answer);
  },
  release: (fixture, { task }) => command(fixture, task, 'release', {}),
  cancel: (fixture, { task }) => command(fixture, task, 'cancel', {}),
  async distribute(fixture, { task: taskId, agent: agentId }) {
    const decision = { ...DECISION, chosen: { ...DECISION.chosen, agentId } };
    const item = { taskId, agentId, shardEpoch: 0, decision };
    const [answer] = (await fixture.ask('svc.task.assign', { items: [item] })).items;
    return fromNats(answer.ok ? { ...answer, status: 'assigned' } : answer);
  },
  assign: (fixture, { task, agent: agentId, ifFull }) =>
    command(fixture, task, 'assign', { agentId, ifFull }),
  reassign: (fixture, { task, agent }) =>
    command(fixture, task, 'reassign', agent === null ? {} : { agentId: agent }),
  start: (fixture, word) => held(fixture, word, 'start', {}),
  progress: (fixture, word) => held(fixture, word, 'progress', { percent: 50 }),
  checkpoint: (fixture, word) => held(fixture, { ...word, over: 'nats' }, 'checkpoint', { checkpoint: 50 }),
  complete: (fixture, word) => held(fixture, word, 'complete', { result: { done: true } }),
  fail: (fixture, word) =>
    held(fixture, word, 'fail', { error: { message: 'no', retryable: word.retryable } }),
  return: (fixture, word) => held(fixture, word, 'return', { reason: word.reason }),
  delegate: (fixture, word) => held(fixture, word, 'delegate', { to: word.to }),
  async update(fixture, { task, priority, version }) {
    const headers: Record<string, string> = version === null ? {} : { 'if-match': `"v${version}"` };
    return fromHttp(await fixture.http('PATCH', `/v1/tasks/${task}`, { priority }, headers));
  },
  reopen: (fixture, { task }) => command(fixture, task, 'reopen', {}),
  ask: (fixture, word) => held(fixture, word, 'block', { reason: word.reason, question: 'What now?' }),
  await: (fixture, word) => held(fixture, word, 'block', { reason: 'children', children: word.children }),
  answer: (fixture, { task, isDenied }) =>
    command(fixture, task, 'answer', isDenied ? { denied: true } : { answer: 42 }),
  unblock: (fixture, { task }) => command(fixture, task, 'unblock', {}),
  link: async (fixture, { task, needed, policy }) =>
    fromHttp(await fixture.http('PUT', `/v1/tasks/${task}/dependencies/${needed}`, { policy })),
  unlink: async (fixture, { task, needed }) =>
    fromHttp(await fixture.http('DELETE', `/v1/tasks/${task}/dependencies/${needed}`)),
  async hello(fixture, { agent, process: instance }) {
    const answer = await fixture.ask(`agent.${agent}.hello`, {
      instance,
      startedAt: new Date().toISOString(),
      maxConcurrent: CAPACITY,
      running: [],
    });
    const { body } = await fixture.http('GET', `/v1/agents/${agent}`);
    return fromNats(
      answer.ok ? { ok: true, status: body.status, attempt: answer.epoch, version: 0 } : answer,
    );
  },
  async goodbye(fixture, { agent, epoch, mode }) {
    const { ok, status, error } = await fixture.ask(`agent.${agent}.goodbye`, { epoch, mode });
    return fromNats({ ok, error, status, attempt: 0, version: 0 });
  },
  async silent(fixture, { agent: agentId, epoch }) {
    const answer = await fixture.ask('svc.agent.expire', { items: [{ agentId, epoch, silentMs: 6_000 }] });
    const [{ ok, error, expired }] = answer.items;
    return fromNats({ ok, error, status: String(expired), attempt: 0, version: 0 });
  },
};

async function command(fixture: Fixture, task: string, word: string, body: object): Promise<Said> {
  return fromHttp(await fixture.http('POST', `/v1/tasks/${task}/${word}`, body));
}

/** A repeated word gets the first answer, whatever it was. */
async function held(fixture: Fixture, word: Held, verb: string, more: object): Promise<Said> {
  const first = await heldOnce(fixture, word, verb, more);
  if (word.isRepeated) expect(await heldOnce(fixture, word, verb, more)).toEqual(first);
  return first;
}

async function heldOnce(fixture: Fixture, word: Held, verb: string, more: object): Promise<Said> {
  const { task, agent, attempt, epoch, over, commandId } = word;
  const said = { attempt, epoch, commandId, ...more };
  return over === 'nats'
    ? fromNats(await fixture.ask(`agent.${agent}.task.${verb}`, { taskId: task, ...said }))
    : command(fixture, task, verb, { agentId: agent, ...said });
}

function fromHttp({ status: http, body }: { readonly status: number; readonly body: Json }): Said {
  const { id, status, attempt, version, code } = body;
  return http < 300 ? { answer: { status, attempt, version }, ids: [id] } : { answer: { code }, ids: [] };
}

function fromNats({ ok, error, status, attempt, version }: Json): Said {
  return { answer: ok ? { status, attempt, version } : { code: error.code }, ids: [] };
}

function created(tasks: Json): Said {
  const ids = tasks.map(({ id }: Json): string => id);
  const [{ status, version }] = tasks;
  return { answer: { status, attempt: 0, version }, ids };
}

/** A new process of an agent. */
export const newProcess = (): string => randomUUID();
