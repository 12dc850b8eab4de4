import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startProcess, startServices, type Services } from '@baton/stack';
import { asAdmin, startTestStack, type TestStack, until } from '@baton/testkit';
import pg from 'pg';

// Answers are as loose as JSON is: each test says what it expects of them.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any;

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const hour = 3_600_000;
const year = 366 * 24 * hour;

let stack: TestStack;
let stops: (() => Promise<unknown>)[];

beforeEach(async () => {
  stack = await startTestStack();
  stops = [() => stack.stop()];
});
afterEach(async () => {
  for (const stop of stops.toReversed()) await stop();
});

/** Starts the services and two agents, each with the clock its program's name asks for. */
async function startWith(clocks: Readonly<Record<string, number>>): Promise<Services> {
  const environment = {
    ...process.env,
    NODE_OPTIONS: `--import=${pathToFileURL(fixture('shifted-clock.mjs')).href}`,
    CLOCKS: JSON.stringify(clocks),
  };
  const services = await startServices({ stack, ports: 'free', environment });
  stops.push(() => services.stop());
  const credentials = await stack.nats.access.agentFiles(['better', 'other']);
  for (const [id, level] of [
    ['better', '1'],
    ['other', '0.5'],
  ] as const) {
    const agent = await startProcess({
      name: id,
      command: process.execPath,
      arguments: [fixture('second-try-agent.mjs'), id, level],
      environment: { ...environment, NATS_URL: stack.natsUrl, BATON_NATS_CREDENTIALS_FILE: credentials },
      logFile: join(stack.directory, 'logs', `${id}.log`),
    });
    stops.push(() => agent.stop());
  }
  return services;
}

async function completedTask(services: Services): Promise<Json> {
  const base = `${services.get('task-service').httpUrl}/v1`;
  const url = `${base}/tasks`;
  await until(async () => {
    const { data } = (await (await fetch(`${base}/agents`, { headers: asAdmin })).json()) as Json;
    return data.filter((agent: Json) => agent.status === 'online').length === 2;
  });
  const created = await fetch(url, {
    method: 'POST',
    headers: { ...asAdmin, 'content-type': 'application/json' },
    body: JSON.stringify({
      title: 'Try twice',
      requiredCapabilities: [{ name: 'trying' }],
      retryPolicy: { kind: 'fixed', baseSeconds: 0.1 },
    }),
  });
  const { id } = (await created.json()) as Json;
  return until(
    async () => {
      const task = (await (await fetch(`${url}/${id}`, { headers: asAdmin })).json()) as Json;
      return task.status === 'completed' && task;
    },
    {
      timeoutMs: 15_000,
      describe: async () => (await fetch(`${url}/${id}/history`, { headers: asAdmin })).json(),
    },
  );
}

const warningOf = async (service: string): Promise<Json> => {
  const lines = (await readFile(join(stack.directory, 'logs', `${service}.log`), 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line)).filter(({ clockAheadMs }) => clockAheadMs);
};

describe('a clock that is far off', () => {
  it.each([
    [
      'all services a year ahead',
      { '-service': year },
      ['task-service', 'distribution-service', 'metrics-service'],
    ],
    ['all services a year behind', { '-service': -year }, ['task-service', 'distribution-service']],
    [
      'the distribution an hour ahead, the agents a year behind',
      { 'distribution-': hour, agent: -year },
      ['distribution-service'],
    ],
  ])(
    '%s: a task that fails at first is completed, its times are those of the database, and the log tells',
    async (_what, clocks, warned) => {
      const services = await startWith(clocks);
      const task = await completedTask(services);
      // The better agent, which failed it, is left out of the next choice for a while, by the database's time.
      expect(task).toMatchObject({ attempt: 2, result: { by: 'other' } });
      const mintedAt = Number.parseInt(task.id.replaceAll('-', '').slice(0, 12), 16);
      for (const time of [mintedAt, Date.parse(task.createdAt), Date.parse(task.completedAt)]) {
        expect(Math.abs(Date.now() - time)).toBeLessThan(60_000);
      }
      const db = new pg.Client({ connectionString: stack.postgresUrl });
      await db.connect();
      const { rows } = await db.query('SELECT count(*)::int AS astray FROM task_events_default');
      await db.end();
      expect(rows).toEqual([{ astray: 0 }]);
      for (const service of warned) {
        expect(await warningOf(service)).toEqual([
          expect.objectContaining({ level: 'warn', msg: expect.stringMatching(/ahead of|behind/) }),
        ]);
      }
    },
    40_000,
  );
});
