import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startServices, type Services } from '@baton/stack';
import { asAdmin, connectAgent, startTestStack, type TestStack, until } from '@baton/testkit';
import type { NatsConnection } from '@nats-io/transport-node';

// Answers are as loose as JSON is: each test says what it expects of them.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any;

const BEAT_MS = 300;

let stack: TestStack;
let services: Services;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  stack = await startTestStack();
  services = await startServices({ stack, ports: 'free' });
}, 60_000);
afterAll(async () => {
  for (const close of closing) await close();
  await services.stop();
  await stack.stop();
}, 60_000);

async function http(method: string, path: string, body?: unknown): Promise<Json> {
  const response = await fetch(`${services.get('task-service').httpUrl}/v1${path}`, {
    method,
    headers: { ...asAdmin, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

const read = (id: string) => http('GET', `/tasks/${id}`);
const historyOf = async (id: string): Promise<readonly Json[]> =>
  (await http('GET', `/tasks/${id}/history`)).data;
const becomes = (id: string, status: string) =>
  until(async () => (await read(id)).status === status, {
    timeoutMs: 10_000,
    describe: `${id} is ${status}`,
  });

/** An agent as any NATS client is one: it beats, accepts offers, and does nothing by itself. */
type PlainAgent = {
  /** What the next beats list. */
  running: { readonly taskId: string; readonly attempt: number }[];
  /** Control messages it got. */
  readonly controls: Json[];
  beatsSent(): number;
  /** A task that only this agent can do, once it is assigned to it. */
  task(): Promise<string>;
  say(verb: string, taskId: string, more?: object): Promise<Json>;
};

async function startPlainAgent(id: string, announced: object = {}): Promise<PlainAgent> {
  const capabilities = [{ name: `only.${id}` }];
  await http('POST', '/agents', { id, heartbeatMs: BEAT_MS, expireMs: 10 * BEAT_MS });
  const connection = await connectAgent(stack.nats, id);
  const controls: Json[] = [];
  let seq = 0;
  const ask = (subject: string, body: object) => request(connection, `agent.${id}.${subject}`, body);
  connection.subscribe(`agent.${id}.offer`, {
    callback: (_, message) => {
      const { assignments } = message.json<Json>();
      const accepted = assignments.map(({ task }: Json) => task.id);
      message.respond(JSON.stringify({ accepted, rejected: [] }));
    },
  });
  connection.subscribe(`agent.${id}.control`, {
    callback: (_, message) => void controls.push(message.json()),
  });
  const startedAt = new Date().toISOString();
  const hello = { instance: randomUUID(), startedAt, capabilities, running: [], ...announced };
  const { epoch } = await ask('hello', hello);
  const agent: PlainAgent = {
    running: [],
    controls,
    beatsSent: () => seq,
    async task() {
      const task = { title: 'A task', requiredCapabilities: capabilities };
      const { id: taskId } = await http('POST', '/tasks', task);
      await becomes(taskId, 'assigned');
      return taskId;
    },
    say: (verb, taskId, more = {}) =>
      ask(`task.${verb}`, { taskId, attempt: 1, epoch, commandId: randomUUID(), ...more }),
  };
  const beats = setInterval(() => {
    seq += 1;
    connection.publish(`agent.${id}.heartbeat`, JSON.stringify({ epoch, seq, running: agent.running }));
  }, BEAT_MS);
  closing.push(async () => {
    clearInterval(beats);
    await connection.close();
  });
  return agent;
}

async function request(connection: NatsConnection, subject: string, body: object): Promise<Json> {
  return (await connection.request(subject, JSON.stringify(body), { timeout: 5_000 })).json();
}

/** Starts a task that the agent's beats never list, and waits until it was taken: time goes by for others too. */
async function forgetOne(agent: PlainAgent): Promise<string> {
  const taskId = await agent.task();
  expect(await agent.say('start', taskId)).toMatchObject({ ok: true });
  const wasTaken = async () => (await historyOf(taskId)).some(({ reason }) => reason === 'forgotten');
  await until(wasTaken, { timeoutMs: 10_000, describe: `${taskId} is taken` });
  return taskId;
}

describe('an agent that beats', () => {
  it('loses a task it started and does not list, and is told so', async () => {
    const agent = await startPlainAgent('forgetful');
    const startedAt = performance.now();
    const taskId = await forgetOne(agent);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect(await read(taskId)).toMatchObject({ lostCount: 1, retryCount: 0 });
    await until(() => agent.controls.length > 0);
    expect(agent.controls).toMatchObject([{ type: 'revoke', taskId, attempt: 1, reason: 'forgotten' }]);
    expect((await agent.say('complete', taskId, { result: 1 })).error.code).toBe('STALE_ATTEMPT');
    const [started, taken] = (await historyOf(taskId)).slice(2);
    const runMs = Date.parse(taken.at) - Date.parse(started.at);
    expect(runMs).toBeGreaterThan(3 * BEAT_MS);
  });

  it('keeps what it lists, what it has not begun, and what it began after many beats', async () => {
    const agent = await startPlainAgent('faithful', { maxConcurrent: 1, prefetch: 1 });
    const [first, second] = [await agent.task(), await agent.task()];
    agent.running = [{ taskId: first, attempt: 1 }];
    await agent.say('start', first);
    await forgetOne(await startPlainAgent('clock-1'));
    expect(agent.beatsSent()).toBeGreaterThan(3);
    expect(await read(first)).toMatchObject({ status: 'in_progress', version: 3 });
    expect(await read(second)).toMatchObject({ status: 'assigned', version: 2 });
    // Between two beats: those so far left the second one out, and the next lists it.
    agent.running = [...agent.running, { taskId: second, attempt: 1 }];
    await agent.say('start', second);
    await forgetOne(await startPlainAgent('clock-2'));
    for (const taskId of [first, second]) {
      expect(await read(taskId)).toMatchObject({ status: 'in_progress', version: 3 });
      expect(await agent.say('complete', taskId, { result: 'kept' })).toMatchObject({ ok: true });
    }
    expect(agent.controls).toEqual([]);
  }, 30_000);
});
