import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SERVICE_SUBJECTS, type Choice, type QueuedTask } from '@baton/contracts';
import { until } from '@baton/testkit';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { DECISION } from './task.fixture.js';

let fixture: Fixture;
/** What the distribution was asked. */
const asked: { readonly task: QueuedTask; readonly idle?: boolean }[] = [];

beforeAll(async () => {
  fixture = await startFixture();
  await hello(fixture, 'idle', { maxConcurrent: 1 });
  const decision = { ...DECISION, chosen: { ...DECISION.chosen, agentId: 'idle' } };
  const choice: Choice = { decision, waiting: null };
  fixture.connection.subscribe(SERVICE_SUBJECTS.choose, {
    callback: (_, message) => {
      asked.push(message.json());
      message.respond(JSON.stringify(choice));
    },
  });
  await fixture.connection.flush();
});
afterAll(() => fixture.close());

const read = async (taskId: string): Promise<Json> => (await fixture.http('GET', `/v1/tasks/${taskId}`)).body;

/** A task an agent has taken and not begun. */
async function taken(agentId: string, body: object = {}) {
  const { epoch } = await hello(fixture, agentId);
  const taskId = await create(fixture, { startTimeout: 600, ...body });
  const { attempt } = await assign(fixture, taskId, agentId);
  return { taskId, attempt, epoch };
}

/** As if this happened so many seconds earlier, and the offer was answered; a timer looks at it at once. */
async function letPass(taskId: string, seconds: number): Promise<void> {
  await fixture.db.query(
    `UPDATE tasks SET offer_tries = 1, offer_accepted_at = assigned_at, due_at = clock_timestamp(),
        assigned_at = assigned_at - make_interval(secs => $2) WHERE id = $1`,
    [taskId, seconds],
  );
}

/** Until a timer has looked: it says when it looks again. */
async function untilLookedAt(taskId: string): Promise<void> {
  await until(async () => {
    const text = `SELECT due_at IS NULL OR due_at > clock_timestamp() + interval '6 seconds' AS looked FROM tasks WHERE id = $1`;
    return (await fixture.db.query<{ looked: boolean }>(text, [taskId])).rows[0]?.looked;
  });
}

describe('a task its agent took and has not begun', () => {
  it('goes to an idle agent after half a minute, and the one that had it is told and refused', async () => {
    const { taskId, attempt, epoch } = await taken('sleepy');
    const controls: Json[] = [];
    fixture.connection.subscribe('agent.sleepy.control', {
      callback: (_, message) => void controls.push(message.json()),
    });
    await fixture.connection.flush();
    await letPass(taskId, 31);
    const task = await until(async () => {
      const found = await read(taskId);
      return found.assignedTo === 'idle' ? found : undefined;
    });
    expect(task).toMatchObject({ status: 'assigned', statusReason: 'reassigned', attempt: attempt + 1 });
    expect(asked.at(-1)).toMatchObject({
      idle: true,
      task: { needs: { criteria: { excludedAgents: ['sleepy'] } } },
    });
    const { body } = await fixture.http('GET', `/v1/tasks/${taskId}/history`);
    expect(body.data.at(-1)).toMatchObject({ type: 'task.assigned', actor: 'system:timer' });
    await until(() => controls.some(({ type, taskId: id }) => type === 'revoke' && id === taskId));
    const late = await verb(fixture, 'sleepy', 'start', { taskId, attempt, epoch });
    expect(late.error.code).toBe('STALE_ATTEMPT');
    // Never from the next one, nor to an agent that has no room for it.
    asked.length = 0;
    await letPass(taskId, 31);
    const other = await taken('other');
    await letPass(other.taskId, 31);
    await until(() => asked.some(({ task: { id } }) => id === other.taskId));
    expect(asked.map(({ task: { id } }) => id)).not.toContain(taskId);
    await untilLookedAt(other.taskId);
    expect(await read(other.taskId)).toMatchObject({ assignedTo: 'other', attempt: 1 });
    await fixture.http('POST', `/v1/tasks/${taskId}/cancel`, {});
  });

  it('stays where it is earlier, where it was begun, and where somebody chose the agent', async () => {
    const early = await taken('early');
    await letPass(early.taskId, 20);
    const begun = await taken('begun', { timeout: 600 });
    expect(await verb(fixture, 'begun', 'start', begun)).toMatchObject({ ok: true });
    await letPass(begun.taskId, 31);
    const pinned = await taken('chosen', { criteria: { pin: { agentId: 'chosen', mode: 'prefer' } } });
    await letPass(pinned.taskId, 31);
    const byHand = await create(fixture, { startTimeout: 600 });
    await fixture.http('POST', `/v1/tasks/${byHand}/assign`, { agentId: 'chosen' });
    await letPass(byHand, 31);
    const kept = [early.taskId, begun.taskId, pinned.taskId, byHand];
    for (const taskId of kept) await untilLookedAt(taskId);
    const stolen = await taken('sleepy');
    await letPass(stolen.taskId, 31);
    await until(async () => (await read(stolen.taskId)).assignedTo === 'idle');
    expect(asked.filter(({ task: { id } }) => kept.includes(id))).toEqual([]);
    const holders = await Promise.all(kept.map(async (taskId) => (await read(taskId)).assignedTo));
    expect(holders).toEqual(['early', 'begun', 'chosen', 'chosen']);
  });
});
