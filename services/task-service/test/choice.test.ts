import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SERVICE_SUBJECTS, type Choice, type QueuedTask } from '@baton/contracts';
import { create, hello } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { DECISION } from './task.fixture.js';

let fixture: Fixture;
/** What the distribution was asked, and what it is to answer next. */
const asked: QueuedTask[] = [];
const answers: (Choice | object)[] = [];

beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const chosen = (agentId: string): Choice => ({
  decision: { ...DECISION, chosen: { ...DECISION.chosen, agentId } },
  waiting: null,
});
const nobody: Choice = {
  decision: null,
  waiting: { reason: 'ALL_AT_CAPACITY', evidence: { slots: 2 }, nextStep: 'Wait for a slot' },
};

function autoAssign(id: string, body?: Json, headers: Record<string, string> = {}) {
  return fixture.http('POST', `/v1/tasks/${id}/auto-assign`, body, headers);
}

describe('auto-assign and simulate without a distributor', () => {
  it('are refused for now, and say when to come again', async () => {
    const id = await create(fixture);
    const requests = [autoAssign(id, {}), fixture.http('POST', '/v1/tasks/simulate', { title: 'x' })];
    for (const { body, headers } of await Promise.all(requests)) {
      expect(body).toMatchObject({ status: 503, code: 'UNAVAILABLE', retryable: true });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });
});

describe('with a distributor', () => {
  beforeAll(async () => {
    for (const subject of [SERVICE_SUBJECTS.choose, SERVICE_SUBJECTS.simulate]) {
      fixture.connection.subscribe(subject, {
        callback: (_, message) => {
          asked.push(message.json<{ task: QueuedTask }>().task);
          message.respond(JSON.stringify(answers.shift() ?? nobody));
        },
      });
    }
    await fixture.connection.flush();
  });

  it('a task goes to the agent chosen, with the decision in its history, and stays there', async () => {
    await hello(fixture, 'chosen');
    const id = await create(fixture);
    answers.push(chosen('chosen'));
    const given = await autoAssign(id);
    expect(given).toMatchObject({
      status: 200,
      body: { agentId: 'chosen', attempt: 1, decision: { chosen: { agentId: 'chosen' } } },
    });
    const { body: task } = await fixture.http('GET', `/v1/tasks/${id}`);
    expect(task).toMatchObject({ status: 'assigned', assignedTo: 'chosen', version: 2 });
    expect(given.headers.get('etag')).toBe('"v2"');
    const { body: history } = await fixture.http('GET', `/v1/tasks/${id}/history`);
    expect(history.data.at(-1)).toMatchObject({ type: 'task.assigned', actor: 'user:local' });
    expect((await autoAssign(id)).body).toMatchObject({ status: 409, code: 'TASK_STATE_CONFLICT' });
  });

  it('criteria of the request come beside what the task requires', async () => {
    const id = await create(fixture, {
      criteria: {
        requiredAgents: ['a', 'b'],
        excludedAgents: ['x'],
        requiredLabels: { region: 'eu' },
        minScore: 0.9,
      },
    });
    const criteria = {
      requiredAgents: ['b', 'c'],
      excludedAgents: ['y'],
      minScore: 0.5,
      preferredAgents: ['b'],
    };
    await autoAssign(id, { criteria: { ...criteria, requiredLabels: { region: 'us', tier: 'large' } } });
    expect(asked.at(-1)).toMatchObject({
      id,
      needs: {
        criteria: {
          requiredAgents: ['b'],
          excludedAgents: ['x', 'y'],
          requiredLabels: { region: 'eu', tier: 'large' },
          preferredAgents: ['b'],
          minScore: 0.5,
        },
      },
    });
    const other = await autoAssign(id, { criteria: { requiredAgents: ['c'] } });
    expect(other.body).toMatchObject({
      status: 409,
      code: 'NO_AGENT',
      details: { reason: 'NO_CAPABLE_AGENT' },
    });
  });

  it('NO_AGENT tells the reason, and the task waits on', async () => {
    const id = await create(fixture);
    const { body } = await autoAssign(id, {});
    expect(body).toMatchObject({
      status: 409,
      code: 'NO_AGENT',
      retryable: true,
      details: { reason: 'ALL_AT_CAPACITY', evidence: { slots: 2 }, nextStep: 'Wait for a slot' },
    });
    expect((await fixture.http('GET', `/v1/tasks/${id}`)).body.status).toBe('queued');
  });

  it('another agent is asked for where the one chosen is full by now', async () => {
    await hello(fixture, 'full', { maxConcurrent: 1 });
    await hello(fixture, 'free');
    answers.push(chosen('full'), chosen('full'), chosen('free'));
    const [first, second] = [await create(fixture), await create(fixture)];
    expect((await autoAssign(first)).body).toMatchObject({ agentId: 'full' });
    expect((await autoAssign(second)).body).toMatchObject({ agentId: 'free', attempt: 1 });
    expect(asked.at(-1)?.needs.criteria.excludedAgents).toEqual(['full']);
  });

  it('a request repeated under its key gets the first answer, also at the same time', async () => {
    await hello(fixture, 'once');
    const id = await create(fixture);
    answers.push(...Array.from({ length: 5 }, () => chosen('once')));
    const key = { 'idempotency-key': 'auto-assign-once' };
    const given = await Promise.all(Array.from({ length: 5 }, () => autoAssign(id, {}, key)));
    answers.length = 0;
    given.push(await autoAssign(id, {}, key));
    expect(new Set(given.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(given[0]).toMatchObject({ status: 200, body: { agentId: 'once', attempt: 1 } });
    expect(given.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(5);
  });

  it('a task of a paused type is given to nobody', async () => {
    await fixture.http('PUT', '/v1/types/paused-type', { paused: true });
    const id = await create(fixture, { type: 'paused-type' });
    expect((await autoAssign(id)).body).toMatchObject({ code: 'NO_AGENT', details: { reason: 'PAUSED' } });
    const simulated = await fixture.http('POST', '/v1/tasks/simulate', { title: 'x', type: 'paused-type' });
    expect(simulated.body).toMatchObject({ agentId: null, decision: null, waiting: { reason: 'PAUSED' } });
  });

  it('simulate tells who would get a task that is not created', async () => {
    const count = async () => (await fixture.http('GET', '/v1/tasks/count')).body;
    const before = await count();
    answers.push(chosen('chosen'));
    const task = {
      title: 'not there',
      priority: 1,
      requiredCapabilities: [{ name: 'write', minLevel: 0.5 }],
    };
    const { status, body } = await fixture.http('POST', '/v1/tasks/simulate', task);
    expect([status, body]).toMatchObject([200, { agentId: 'chosen', waiting: null }]);
    expect(asked.at(-1)).toMatchObject({
      priority: 1,
      needs: { requiredCapabilities: [{ name: 'write', minLevel: 0.5 }], connectedFrom: null },
    });
    expect(await count()).toEqual(before);
    expect((await fixture.http('POST', '/v1/tasks/simulate', { title: '' })).status).toBe(400);
  });
});
