import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hello } from './agent.js';
import { CAPACITY_TRIGGER } from './capacity-trigger.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { KINDS } from './lock-order.kinds.js';
import { expectEveryTaskToReplay } from './replay.js';
import { DECISION } from './task.fixture.js';

/**
 * Two processes with four lanes each take random commands on the same few tasks and agents, so that their batches
 * meet at the same rows in every order. The locks must never form a cycle, and no statement may leave an agent with
 * more tasks than it has room for.
 */
const AGENTS = ['a', 'b', 'c', 'd'];
const CAPACITY = 4;
const STEPS = 3_000;
const WORKERS = 32;
const SEED = Number(process.env['BATON_TEST_SEED'] ?? Date.now() % 1_000_000);

let fixture: Fixture;
beforeAll(async () => {
  // What has ended is archived after a second, and brought back by those who fight over it.
  const environment = { BATON_LANES: '4', BATON_RETENTION_HOT_DAYS: '0.00001' };
  fixture = await startFixture({ replicas: 2, environment });
  await fixture.db.query(CAPACITY_TRIGGER);
});
afterAll(() => fixture.close());

type Known = { readonly id: string; attempt: number; agentId: string };

class World {
  readonly tasks: Known[] = [];
  readonly epochs = new Map<string, number>();
  readonly answers = new Map<string, number>();

  note(kind: string, answer: Json): void {
    const key = `${kind} ${answer.error?.code ?? answer.code ?? 'ok'}`;
    this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
  }

  /** The latest tasks, which everybody fights over; older ones are left to end. */
  recent(): readonly Known[] {
    return this.tasks.slice(-80);
  }

  /** What an agent believes to hold. */
  heldBy(agentId: string): readonly Known[] {
    return this.tasks.filter((task) => task.attempt > 0 && task.agentId === agentId);
  }
}

/** The same tasks in another order: batches of two processes meet at several rows, each asked for in its own order. */
function rotated<T>(items: readonly T[], random: number): readonly T[] {
  const turn = Math.floor(random * items.length);
  const order = [...items.slice(turn), ...items.slice(0, turn)];
  return random * 1_000 - Math.floor(random * 1_000) < 0.5 ? order : order.toReversed();
}

async function run(world: World, kind: string, random: number): Promise<void> {
  const agentId = AGENTS[Math.floor(random * 7_919) % AGENTS.length] ?? 'a';
  const [task] = rotated(world.recent(), random);
  if (kind === 'create' || task === undefined) return createOne(world, task, random);
  if (kind === 'graph') return createGraph(world);
  if (kind === 'assign') return assignMany(world, random);
  if (kind === 'hello') return greet(world, agentId);
  if (kind === 'expire') {
    const epoch = world.epochs.get(agentId) ?? 0;
    await fixture.ask('svc.agent.expire', { items: [{ agentId, epoch, silentMs: 6_000 }] });
    return greet(world, agentId);
  }
  if (kind === 'forgotten') return forget(world, random);
  if (kind === 'spawn') return spawn(world, agentId, random);
  if (kind === 'redistribute') {
    const { body } = await fixture.http('POST', `/v1/agents/${agentId}/redistribute`);
    return world.note(kind, body);
  }
  if (kind === 'reassign') {
    const to = random < 0.5 ? {} : { agentId: AGENTS[Math.floor(random * 97) % AGENTS.length] };
    return world.note(kind, (await fixture.http('POST', `/v1/tasks/${task.id}/reassign`, to)).body);
  }
  if (kind === 'cancel' || kind === 'reopen') {
    const id = kind === 'cancel' ? undefined : await one(`status IN ('failed','cancelled')`);
    return world.note(kind, (await fixture.http('POST', `/v1/tasks/${id ?? task.id}/${kind}`, {})).body);
  }
  if (kind === 'update') {
    const changes = { priority: 1 + Math.floor(random * 5), input: { random } };
    return world.note(kind, (await fixture.http('PATCH', `/v1/tasks/${task.id}`, changes)).body);
  }
  if (kind === 'link') {
    const others = rotated(world.recent(), random).filter(({ id }) => id !== task.id);
    const other = others[6] ?? others[0];
    if (other === undefined) return createOne(world, task, random);
    const path = `/v1/tasks/${task.id}/dependencies/${other.id}`;
    return world.note(kind, (await fixture.http('PUT', path, { policy: 'ignore' })).body);
  }
  if (kind === 'answer') {
    const id = await one(`status = 'blocked' AND status_reason = 'input'`);
    const path = `/v1/tasks/${id ?? task.id}/answer`;
    return world.note(kind, (await fixture.http('POST', path, { answer: 1 })).body);
  }
  if (kind === 'unarchive' || kind === 'depend') return takeFromArchive(world, kind, random);
  if (kind === 'delete') {
    // One that ended and is not in the archive yet, where there is one: there they stay for a moment only.
    const id = await one(`status IN ('completed', 'failed', 'cancelled')`);
    return world.note(kind, (await fixture.http('DELETE', `/v1/tasks/${id ?? task.id}`)).body ?? {});
  }
  return speak(world, agentId, kind, random);
}

/** The latest task of a kind that is rare among those drawn. */
async function one(condition: string): Promise<string | undefined> {
  const { rows } = await fixture.db.query(`SELECT id FROM tasks WHERE ${condition} ORDER BY id DESC LIMIT 1`);
  return rows[0]?.id;
}

/** What is archived comes back to be changed, is removed, or is what something new waits for. */
async function takeFromArchive(world: World, kind: string, random: number): Promise<void> {
  const { rows } = await fixture.db.query(
    `SELECT id, status, (SELECT id FROM tasks WHERE status IN ('queued','blocked') ORDER BY id DESC LIMIT 1) AS hot
      FROM archived_tasks ORDER BY id DESC LIMIT 20`,
  );
  const [{ id, status, hot } = { id: undefined, status: '', hot: null }] = rotated(rows, random);
  if (id === undefined) return;
  if (kind === 'depend') {
    const dependencies = [id, ...(hot === null ? [] : [hot])].map((taskId) => ({ taskId, policy: 'ignore' }));
    return world.note(kind, (await fixture.http('POST', '/v1/tasks', { title: 'late', dependencies })).body);
  }
  const path = `/v1/tasks/${id}`;
  const reopens = status !== 'completed' && random < 0.7;
  const answer = reopens
    ? await fixture.http('POST', `${path}/reopen`, {})
    : await fixture.http('DELETE', path);
  world.note(kind, answer.body ?? {});
}

/** As a distributor does: what a snapshot says is in progress is reported, whatever became of it meanwhile. */
async function forget(world: World, random: number): Promise<void> {
  const { rows } = await fixture.db.query(
    `SELECT assigned_to AS "agentId", holder_epoch AS epoch, id AS "taskId", attempt, version
      FROM tasks WHERE status = 'in_progress'`,
  );
  if (rows.length === 0) return;
  const answer = await fixture.ask('svc.task.forgotten', { items: rotated(rows, random).slice(0, 4) });
  for (const item of answer.items) world.note('forgotten', item);
}

async function assignMany(world: World, random: number): Promise<void> {
  const tasks = rotated(world.recent(), random);
  const items = tasks.map(({ id: taskId }, index) => {
    const agentId = AGENTS[(index + Math.floor(random * 97)) % AGENTS.length] ?? 'a';
    return {
      taskId,
      agentId,
      shardEpoch: 0,
      decision: { ...DECISION, chosen: { ...DECISION.chosen, agentId } },
    };
  });
  const answer = await fixture.ask('svc.task.assign', { items });
  answer.items.forEach((item: Json, index: number) => {
    const task = tasks[index];
    if (item.ok && task !== undefined) {
      task.attempt = item.attempt;
      task.agentId = items[index]?.agentId ?? '';
    }
    world.note('assign', item);
  });
}

/** One message about everything the agent holds; what it is refused it drops, as an agent does. */
async function speak(world: World, agentId: string, kind: string, random: number): Promise<void> {
  const tasks = rotated(world.heldBy(agentId), random);
  if (tasks.length === 0) return;
  const items = tasks.map(({ id: taskId, attempt }) => ({
    taskId,
    attempt,
    epoch: world.epochs.get(agentId) ?? 0,
    commandId: randomUUID(),
    error: { message: 'random', retryable: random < 0.8 },
    ...reasonFor(kind, random),
    percent: random * 100,
    usage: { inputTokens: Math.floor(random * 1_000) },
    to: AGENTS[Math.floor(random * 89) % AGENTS.length],
  }));
  const answer = await fixture.ask(`agent.${agentId}.task.${kind}`, { items });
  answer.items.forEach((item: Json, index: number) => {
    const task = tasks[index];
    const isOver = !item.ok || (kind !== 'start' && kind !== 'progress');
    if (task !== undefined && isOver && task.attempt === items[index]?.attempt) task.attempt = 0;
    world.note(kind, item);
  });
}

function reasonFor(kind: string, random: number) {
  if (kind !== 'block') return { reason: 'draining' };
  return random < 0.6 ? { reason: 'children', children: 'any' } : { reason: 'input', question: 'Which?' };
}

/** A child of a task the agent holds; every second one is for an agent it names. */
async function spawn(world: World, agentId: string, random: number): Promise<void> {
  const [task] = rotated(world.heldBy(agentId), random);
  if (task === undefined) return;
  const parent = { taskId: task.id, attempt: task.attempt, epoch: world.epochs.get(agentId) ?? 0 };
  const aim = AGENTS[Math.floor(random * 83) % AGENTS.length] ?? 'a';
  const criteria = random < 0.5 ? {} : { pin: { agentId: aim } };
  const body = { parent, task: { title: 'child', criteria, maxRetries: 0 } };
  const answer = await fixture.ask(`agent.${agentId}.call.spawn`, body);
  for (const { id } of answer.tasks ?? []) world.tasks.push({ id, attempt: 0, agentId: 'a' });
  world.note('spawn', answer);
}

async function createOne(world: World, dependency: Known | undefined, random: number): Promise<void> {
  const dependencies = dependency !== undefined && random < 0.3 ? [{ taskId: dependency.id }] : [];
  const body = {
    title: 'random',
    dependencies,
    maxRetries: 1,
    retryPolicy: { kind: 'fixed', baseSeconds: 0 },
  };
  const { body: task } = await fixture.http('POST', '/v1/tasks', body);
  if (task.id !== undefined) world.tasks.push({ id: task.id, attempt: 0, agentId: 'a' });
  world.note('create', task);
}

async function createGraph(world: World): Promise<void> {
  const tasks = ['x', 'y', 'z'].map((ref, index) => ({
    ref,
    title: ref,
    dependencies: index === 0 ? [] : [{ ref: index === 1 ? 'x' : 'y' }],
  }));
  const { body } = await fixture.http('POST', '/v1/tasks/graph', { tasks });
  for (const { id } of body.tasks ?? []) world.tasks.push({ id, attempt: 0, agentId: 'a' });
  world.note('graph', body);
}

async function greet(world: World, agentId: string): Promise<void> {
  const answer = await hello(fixture, agentId, { maxConcurrent: CAPACITY, instance: randomUUID() });
  if (answer.ok) world.epochs.set(agentId, Math.max(answer.epoch, world.epochs.get(agentId) ?? 0));
  world.note('hello', answer);
}

async function deadlocks(): Promise<number> {
  await fixture.db.query('SELECT pg_stat_clear_snapshot()');
  const { rows } = await fixture.db.query(
    'SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()',
  );
  return rows[0].n;
}

describe('the lock order', () => {
  it(`holds under random commands on 4 lanes x 2 processes (seed ${SEED})`, async () => {
    const world = new World();
    for (const agentId of AGENTS) await greet(world, agentId);
    // What began three milliseconds ago may be reported as forgotten.
    await fixture.db.query('UPDATE agents SET heartbeat_ms = 1');
    for (const from of AGENTS)
      for (const to of AGENTS)
        if (from !== to) await fixture.http('PUT', `/v1/agents/${from}/connections/${to}`, {});
    // `fc.double` draws tiny numbers nearly always, and so the same agent and the same few tasks.
    const fraction = fc.noBias(fc.integer({ min: 0, max: 2 ** 30 - 1 })).map((drawn) => drawn / 2 ** 30);
    const steps = fc.sample(fc.tuple(KINDS, fraction), { numRuns: STEPS, seed: SEED });
    const next = steps.values();
    await Promise.all(
      Array.from({ length: WORKERS }, async () => {
        for (const [kind, random] of next) await run(world, kind, random);
      }),
    );
    const codes = Object.fromEntries(world.answers);
    expect(Object.keys(codes).filter((key) => /INTERNAL|UNAVAILABLE|VALIDATION/.test(key))).toEqual([]);
    const over = await fixture.db.query(`SELECT detail FROM audit_log WHERE action = 'over_capacity'`);
    expect(over.rows).toEqual([]);
    // A run in which nothing met would prove nothing.
    const accepted = 'assign start complete fail forgotten delegate spawn reassign progress reopen update';
    for (const met of [
      ...`${accepted} delete link block answer unarchive depend`.split(' ').map((kind) => `${kind} ok`),
      'assign AGENT_AT_CAPACITY',
      'assign TASK_STATE_CONFLICT',
      'delegate DELEGATION_CYCLE',
    ]) {
      expect(codes).toHaveProperty([met]);
    }
    // Backends report their counters when they end, at the latest.
    await Promise.all(fixture.replicas.map((replica) => replica.process.stop()));
    expect(await deadlocks()).toBe(0);
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(500);
  }, 240_000);
});
