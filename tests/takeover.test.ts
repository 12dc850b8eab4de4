import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAgent, type Agent } from '@baton/agent';
import { startProcess, startServices, type RunningProcess, type Services } from '@baton/stack';
import { agentLogin, asAdmin, serviceLogin, startTestStack, type TestStack, until } from '@baton/testkit';
import pg from 'pg';

const DISTRIBUTOR = fileURLToPath(new URL('../services/distribution-service/dist/main.js', import.meta.url));
const AGENTS = Array.from({ length: 8 }, (_, index) => `worker-${index}`);

let stack: TestStack;
let services: Services;
let second: RunningProcess;
let db: pg.Client;
const agents: Agent[] = [];

beforeAll(async () => {
  stack = await startTestStack();
  services = await startServices({ stack, ports: 'free' });
  db = new pg.Client({ connectionString: stack.postgresUrl });
  await db.connect();
  for (const id of AGENTS) {
    const agent = createAgent({
      id,
      capabilities: ['work'],
      ...agentLogin(stack.nats, id),
      handler: () => 'done',
    });
    agents.push(agent);
    await agent.start();
  }
  await until(async () => (await sharesOf()).join() === '64', { timeoutMs: 10_000 });
  second = await startProcess({
    name: 'distribution-service',
    command: process.execPath,
    arguments: [DISTRIBUTOR],
    logFile: join(stack.directory, 'logs', 'second-distributor.log'),
    environment: {
      ...process.env,
      ...serviceLogin(stack.nats, 'distribution-service'),
      BATON_OPERATIONS_PORT: '0',
    },
  });
  await until(async () => (await sharesOf()).join() === '32,32', { timeoutMs: 15_000 });
}, 60_000);
afterAll(async () => {
  for (const agent of agents) await agent.stop({ mode: 'leave' });
  await second.stop();
  await db.end();
  await services.stop();
  await stack.stop();
}, 60_000);

/** How many shards each distributor has. */
async function sharesOf(): Promise<readonly number[]> {
  const { rows } = await db.query(
    'SELECT count(*)::int AS shards FROM shard_leases WHERE owner IS NOT NULL GROUP BY owner',
  );
  return rows.map(({ shards }) => shards);
}

/** Creates a task for each agent alone. */
async function createForEach(): Promise<readonly string[]> {
  const tasks = AGENTS.map((id) => ({ title: `for ${id}`, criteria: { requiredAgents: [id] } }));
  const response = await fetch(`${services.get('task-service').httpUrl}/v1/tasks/batch`, {
    method: 'POST',
    headers: { ...asAdmin, 'content-type': 'application/json' },
    body: JSON.stringify({ tasks }),
  });
  expect(response.status).toBe(200);
  const { rows } = await db.query('SELECT id FROM tasks ORDER BY id DESC LIMIT $1', [AGENTS.length]);
  return rows.map(({ id }) => id);
}

async function done(ids: readonly string[]): Promise<boolean> {
  const { rows } = await db.query(
    `SELECT count(*)::int AS done FROM tasks WHERE id = ANY($1) AND status = 'completed' AND attempt = 1`,
    [ids],
  );
  return rows[0].done === ids.length;
}

describe('two distributors', () => {
  it('bring tasks to all agents, and the one that is left does so within 5 s after the other was killed', async () => {
    const before = await createForEach();
    await until(() => done(before));
    second.signal('SIGKILL');
    await second.exited;
    const killedAt = performance.now();
    const after = await createForEach();
    await until(() => done(after), { timeoutMs: 10_000 });
    expect(performance.now() - killedAt).toBeLessThan(5_000);
    expect(await sharesOf()).toEqual([64]);
    const { rows } = await db.query(`SELECT id FROM agents WHERE status <> 'online' OR epoch <> 1`);
    expect(rows).toEqual([]);
  });
});
