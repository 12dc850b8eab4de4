import {
  ACCESS,
  isPublic,
  mayDo,
  MESSAGE_ACTIONS,
  MESSAGES,
  RELATIONS,
  ROUTE_ACTIONS,
  ROUTES,
  type Access,
  type Action,
  type Relation,
  type Role,
  type Route,
} from '@baton/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFixtures } from '../../../packages/contracts/test/fixtures.js';
import { assign, create, hello } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

const PROBE = 'probe';
const relations = [...(Object.keys(RELATIONS) as Relation[]), 'none'] as const;
type Related = (typeof relations)[number];

let fixture: Fixture;
const keys = new Map<Role, string>();
/** A task held by the agent all along. */
let held = '';

beforeAll(async () => {
  fixture = await startFixture({ environment: { BATON_ADMIN_KEY: `baton_${'4'.repeat(43)}` } });
  for (const role of ['operator', 'viewer', 'agent'] as const) {
    const said = { name: `a-${role}`, role, ...(role === 'agent' ? { agentId: PROBE } : {}) };
    keys.set(role, (await fixture.http('POST', '/v1/keys', said)).body.key);
  }
  await hello(fixture, PROBE, { maxConcurrent: 200 });
  const agent = await fixture.connectionOf(PROBE);
  agent.subscribe(`agent.${PROBE}.offer`, {
    callback: (_, message) => {
      const { assignments }: Json = message.json();
      const accepted = assignments.map(({ task }: Json) => task.id);
      message.respond(JSON.stringify({ accepted, rejected: [] }));
    },
  });
  held = await taskOf('holder');
}, 60_000);
afterAll(() => fixture.close());

const examples = new Map(readFixtures('http').map(({ route, message }) => [route, message]));
const calls = new Map(readFixtures('agent').map(({ name, message }) => [name, message]));
const routes = Object.entries(ROUTES) as [keyof typeof ROUTES, Route][];

/** A new task that the agent has this relation to, and no other. */
async function taskOf(relation: Related): Promise<string> {
  const id = await create(fixture);
  const set = (columns: string, ...values: string[]) =>
    fixture.db.query(`UPDATE tasks SET ${columns} WHERE id = $1`, [id, ...values]);
  switch (relation) {
    case 'creator':
      await set(`created_by = 'agent:${PROBE}'`);
      break;
    case 'holder':
      expect(await assign(fixture, id, PROBE)).toMatchObject({ ok: true });
      break;
    case 'delegator':
      await set(`delegation_chain = '["${PROBE}"]'`);
      break;
    case 'ancestorHolder':
      await set('parent_task_id = $2, root_task_id = $2, depth = 1', held);
      break;
    case 'dependentHolder':
      await fixture.db.query(
        `INSERT INTO task_dependencies (task_id, depends_on, policy) VALUES ($1, $2, 'ignore')`,
        [held, id],
      );
      break;
    case 'pastHolder':
      await set(`last_agent_id = '${PROBE}'`);
      break;
    case 'none':
  }
  return id;
}

/** How a request was judged. */
function judged(code: string | undefined): 'unseen' | 'forbidden' | 'let in' {
  if (code === 'TASK_NOT_FOUND') return 'unseen';
  return code === 'FORBIDDEN' ? 'forbidden' : 'let in';
}

/** As the table says. */
function expected(action: Action, relation: Related): string {
  if (mayDo(action, 'agent', relation)) return 'let in';
  return relation === 'none' ? 'unseen' : 'forbidden';
}

/** Over NATS, what only holders do is refused to others by the fence, in words of its own. */
function isFenced(action: Action): boolean {
  const { agents }: Access = ACCESS[action];
  return Array.isArray(agents) && agents.every((relation) => relation === 'holder');
}

const pathOf = ({ path }: Route, id: string) =>
  path.replace('{id}', path.startsWith('/v1/agents') ? PROBE : id).replace(/\{\w+\}/g, held);

describe('the table of access over HTTP', () => {
  it.each(['operator', 'viewer'] as const)(
    'lets %s in by its role, on every route',
    async (role) => {
      const headers = { authorization: `Bearer ${keys.get(role)}` };
      const misses: unknown[] = [];
      for (const [id, route] of routes) {
        if (isPublic(route)) continue;
        // Nothing that is there is named: whoever is let in finds nothing to change.
        const path = route.path.replaceAll(/\{\w+\}/g, '00000000-0000-7000-8000-000000000000');
        const body = route.method === 'GET' || route.body === undefined ? undefined : {};
        const { status } = await fixture.http(route.method, path, body, headers);
        const allowed = mayDo(ROUTE_ACTIONS[id], role);
        if ((status === 403) === allowed || status === 401) misses.push({ id, allowed, status });
      }
      expect(misses).toEqual([]);
      await fixture.http('POST', '/v1/resume');
    },
    60_000,
  );

  it.each(relations)(
    'lets an agent in by its relation to a task: %s',
    async (relation) => {
      const headers = { authorization: `Bearer ${keys.get('agent')}` };
      const misses: unknown[] = [];
      for (const [id, route] of routes) {
        const action = ROUTE_ACTIONS[id];
        if (!action.startsWith('task.') || !route.path.includes('{id}')) continue;
        const taskId = await taskOf(relation);
        const example = examples.get(`${route.method} ${route.path}`) as object | undefined;
        const body = example && { ...example, ...('agentId' in example ? { agentId: PROBE } : {}) };
        const said = route.method === 'GET' ? undefined : body;
        const answer = await fixture.http(route.method, pathOf(route, taskId), said, headers);
        const { agents }: Access = ACCESS[action];
        const wanted = agents === undefined ? 'forbidden' : expected(action, relation);
        const got = judged(answer.body?.code);
        if (got !== wanted)
          misses.push({ id, wanted, got, status: answer.status, detail: answer.body?.detail });
      }
      expect(misses).toEqual([]);
    },
    120_000,
  );

  it('keeps an agent from what concerns no task of its own, and from speaking for another', async () => {
    const headers = { authorization: `Bearer ${keys.get('agent')}` };
    const misses: unknown[] = [];
    for (const [id, route] of routes) {
      const action = ROUTE_ACTIONS[id];
      const { agents }: Access = ACCESS[action];
      if (agents !== undefined || isPublic(route)) continue;
      const said = route.method === 'GET' ? undefined : {};
      const { status } = await fixture.http(route.method, pathOf(route, held), said, headers);
      if (status !== 403) misses.push({ id, status });
    }
    expect(misses).toEqual([]);
    const foreign = { agentId: 'another', attempt: 1, epoch: 1 };
    const spoken = await fixture.http('POST', `/v1/tasks/${held}/start`, foreign, headers);
    expect(spoken.body.code).toBe('FORBIDDEN');
    const listed = await fixture.http('GET', '/v1/tasks?limit=200', undefined, headers);
    const mine = (task: Json) => task.createdBy === `agent:${PROBE}` || task.lastAgentId === PROBE;
    expect(listed.body.data.length).toBeGreaterThan(0);
    expect(listed.body.data.filter((task: Json) => !mine(task))).toEqual([]);
  }, 60_000);
});

describe('the table of access over NATS', () => {
  it.each(relations)(
    'lets an agent in by its relation to a task: %s',
    async (relation) => {
      const misses: unknown[] = [];
      for (const [name, { subject, answer: answers }] of Object.entries(MESSAGES)) {
        const action = MESSAGE_ACTIONS[name];
        const example = calls.get(name) as Json;
        if (action === undefined || answers === undefined || example?.taskId === undefined) continue;
        const taskId = await taskOf(relation);
        const said = { ...example, taskId, ...(name.endsWith('.wait') ? { timeoutMs: 1 } : {}) };
        const answer = await fixture.ask(subject.replace('{agentId}', PROBE), said);
        const got = judged(answer.error?.code);
        const isStale = isFenced(action) && relation !== 'holder' && answer.ok === false;
        const isRight = isStale || got === expected(action, relation);
        if (!isRight) misses.push({ name, wanted: expected(action, relation), got, said: answer.error });
      }
      expect(misses).toEqual([]);
    },
    120_000,
  );
});
