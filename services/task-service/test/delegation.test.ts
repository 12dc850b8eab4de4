import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

const epochs = new Map<string, number>();

async function greet(agentId: string, maxConcurrent = 1): Promise<void> {
  const { epoch } = await hello(fixture, agentId, { maxConcurrent });
  epochs.set(agentId, epoch);
}

/** Agents of a test of its own, each of which may hand work on to the next. */
async function line(...agentIds: readonly string[]): Promise<void> {
  for (const agentId of agentIds) await greet(agentId);
  for (const [index, from] of agentIds.slice(0, -1).entries()) {
    await fixture.http('PUT', `/v1/agents/${from}/connections/${agentIds[index + 1]}`, {});
  }
}

type Hold = { readonly taskId: string; readonly attempt: number; readonly epoch: number };

async function holdOf(taskId: string, agentId: string): Promise<Hold> {
  const { body } = await fixture.http('GET', `/v1/tasks/${taskId}`);
  return { taskId, attempt: body.attempt, epoch: epochs.get(agentId) ?? 0 };
}

async function say(agentId: string, taskId: string, name: string, more: object = {}): Promise<Json> {
  return verb(fixture, agentId, name, { ...(await holdOf(taskId, agentId)), ...more });
}

async function started(agentId: string, body: object = {}): Promise<string> {
  const taskId = await create(fixture, body);
  expect((await assign(fixture, taskId, agentId)).ok).toBe(true);
  expect((await say(agentId, taskId, 'start')).ok).toBe(true);
  return taskId;
}

const taskOf = async (taskId: string): Promise<Json> =>
  (await fixture.http('GET', `/v1/tasks/${taskId}`)).body;

async function inboxOf(agentId: string): Promise<readonly Json[]> {
  return (await fixture.ask(`agent.${agentId}.call.inbox`, {})).items;
}

/** A task that takes the agent's only slot. */
const fill = (agentId: string) => started(agentId);

describe('a task handed on', () => {
  it('is with the other agent at once, which is offered it with how it came there', async () => {
    await line('one-a', 'one-b');
    const taskId = await started('one-a');
    expect(await say('one-a', taskId, 'delegate', { to: 'one-b' })).toMatchObject({
      ok: true,
      status: 'assigned',
      attempt: 2,
    });
    expect(await taskOf(taskId)).toMatchObject({
      assignedTo: 'one-b',
      delegatedFrom: 'one-a',
      delegationChain: ['one-a'],
    });
    const { assignments } = await hello(fixture, 'one-b', { maxConcurrent: 1 });
    epochs.set('one-b', (epochs.get('one-b') ?? 0) + 1);
    expect(assignments[0]).toMatchObject({
      attempt: 2,
      previousAttempts: [{ attempt: 1, agentId: 'one-a', reason: 'delegated' }],
    });
    await say('one-b', taskId, 'start');
    await say('one-b', taskId, 'complete', { result: 1 });
    expect(await inboxOf('one-a')).toMatchObject([{ taskId, status: 'completed' }]);
  });

  it('is handed on once, however often that is said', async () => {
    await line('again-a', 'again-b');
    const taskId = await started('again-a');
    const hold = { ...(await holdOf(taskId, 'again-a')), commandId: crypto.randomUUID(), to: 'again-b' };
    const first = await verb(fixture, 'again-a', 'delegate', hold);
    expect(await verb(fixture, 'again-a', 'delegate', hold)).toEqual(first);
    expect((await taskOf(taskId)).version).toBe(4);
  });

  it('waits for an agent without room, and goes back to who handed it on when that one declines', async () => {
    await line('full-a', 'full-b');
    const filler = await fill('full-b');
    const taskId = await started('full-a');
    expect(await say('full-a', taskId, 'delegate', { to: 'full-b' })).toMatchObject({ status: 'queued' });
    const waiting = await taskOf(taskId);
    expect(waiting).toMatchObject({ pinnedTo: 'full-b', attempt: 1, assignedTo: null });
    expect(Date.parse(waiting.pinnedUntil) - Date.parse(waiting.queuedAt)).toBe(300_000);
    const page = { classes: [{ backlogClass: 'pin:full-b', limit: 5 }] };
    const { classes } = await fixture.ask('svc.task.backlog', page);
    expect(classes[0].tasks).toMatchObject([{ id: taskId, needs: { pinnedTo: 'full-b' } }]);
    expect((await assign(fixture, taskId, 'full-a')).error.code).toBe('TASK_STATE_CONFLICT');
    await say('full-b', filler, 'complete');
    expect((await assign(fixture, taskId, 'full-b')).ok).toBe(true);
    await say('full-b', taskId, 'return', { reason: 'declined' });
    expect(await taskOf(taskId)).toMatchObject({ pinnedTo: 'full-a', statusReason: 'returned' });
    expect(await inboxOf('full-a')).toMatchObject([{ taskId, status: 'queued', reason: 'returned' }]);
    expect((await assign(fixture, taskId, 'full-a')).ok).toBe(true);
    expect((await say('full-a', taskId, 'delegate', { to: 'full-b' })).error.code).toBe(
      'DELEGATION_CAPABILITY',
    );
  });

  it('goes back when its agent is lost, and to whoever can when the first is gone too', async () => {
    await line('lost-a', 'lost-b');
    const taskId = await started('lost-a');
    await say('lost-a', taskId, 'delegate', { to: 'lost-b' });
    await say('lost-b', taskId, 'start');
    const expire = (agentId: string) =>
      fixture.ask('svc.agent.expire', {
        items: [{ agentId, epoch: epochs.get(agentId) ?? 0, silentMs: 6_000 }],
      });
    await expire('lost-b');
    await until(async () => (await taskOf(taskId)).pinnedTo === 'lost-a');
    expect((await assign(fixture, taskId, 'lost-a')).ok).toBe(true);
    await greet('lost-b');
    await say('lost-a', taskId, 'delegate', { to: 'lost-b' });
    await expire('lost-a');
    await expire('lost-b');
    await until(async () => (await taskOf(taskId)).status === 'queued');
    expect(await taskOf(taskId)).toMatchObject({ pinnedTo: null, statusReason: 'expired' });
    expect((await inboxOf('lost-a')).map(({ reason }) => reason)).toEqual(['expired', 'expired']);
  });

  it('waits for its time by a timer, and then goes on', async () => {
    await line('timed-a', 'timed-b');
    await fill('timed-b');
    const taskId = await started('timed-a');
    await say('timed-a', taskId, 'delegate', { to: 'timed-b' });
    // Five minutes go by.
    const past = `clock_timestamp() - interval '1 second'`;
    await fixture.db.query(`UPDATE tasks SET pinned_until = ${past}, due_at = ${past} WHERE id = $1`, [
      taskId,
    ]);
    await until(async () => (await taskOf(taskId)).pinnedTo === 'timed-a');
    expect(await inboxOf('timed-a')).toMatchObject([{ taskId, reason: 'pin_expired' }]);
    // Replay knows nothing of the hand that moved the clock.
    for (const [table, id] of [
      ['tasks', 'id'],
      ['task_events', 'task_id'],
    ])
      await fixture.db.query(`DELETE FROM ${table} WHERE ${id} = $1`, [taskId]);
  });

  it('is refused without a connection, in its holder’s stead too', async () => {
    await line('apart-a');
    await line('apart-b');
    const taskId = await started('apart-a');
    expect((await say('apart-a', taskId, 'delegate', { to: 'apart-b' })).error.code).toBe(
      'DELEGATION_NOT_CONNECTED',
    );
    const { taskId: _, ...hold } = await holdOf(taskId, 'apart-a');
    const refused = await fixture.http('POST', `/v1/tasks/${taskId}/delegate`, {
      ...hold,
      agentId: 'apart-a',
      to: 'apart-b',
    });
    expect([refused.status, refused.body.code]).toEqual([422, 'DELEGATION_NOT_CONNECTED']);
  });
});

describe('two hand-overs and the loss of who makes them', () => {
  it('race for one task, and one of them has it', async () => {
    const won = new Map<string, number>();
    for (let round = 0; round < 12; round += 1) {
      const [from, left, right] = [`race-${round}`, `left-${round}`, `right-${round}`];
      await line(from, left);
      await line(right);
      await fixture.http('PUT', `/v1/agents/${from}/connections/${right}`, {});
      const taskId = await started(from);
      const hold = await holdOf(taskId, from);
      const expire = { items: [{ agentId: from, epoch: hold.epoch, silentMs: 6_000 }] };
      const moves = [
        () => verb(fixture, from, 'delegate', { ...hold, to: left }),
        () => verb(fixture, from, 'delegate', { ...hold, to: right }),
        () => fixture.ask('svc.agent.expire', expire),
      ];
      const order = [...moves.slice(round % 3), ...moves.slice(0, round % 3)];
      const answers: readonly Json[] = await Promise.all(order.map((move) => move()));
      const handed = answers.filter(({ attempt, ok }) => ok && attempt === 2);
      await until(async () => (await taskOf(taskId)).assignedTo !== from);
      const task = await taskOf(taskId);
      const winner = task.assignedTo === null ? 'lost' : task.assignedTo.replace(/-.*/, '');
      won.set(winner, (won.get(winner) ?? 0) + 1);
      expect(handed).toHaveLength(winner === 'lost' ? 0 : 1);
      expect(task).toMatchObject({
        attempt: winner === 'lost' ? 1 : 2,
        version: 4,
        lostCount: winner === 'lost' ? 1 : 0,
      });
      for (const { ok, error } of answers.filter((answer) => answer.items === undefined))
        if (!ok) expect(['STALE_ATTEMPT', 'STALE_SESSION', 'DELEGATION_CYCLE']).toContain(error.code);
      await fixture.http('POST', `/v1/tasks/${taskId}/cancel`, {});
    }
    expect([...won.values()].reduce((sum, count) => sum + count, 0)).toBe(12);
  });
});

describe('an operator', () => {
  it('gives a task to an agent over HTTP, lets it wait there, and takes it away again', async () => {
    await line('hand-a', 'hand-b');
    const taskId = await create(fixture);
    const command = (word: string, body: object) => fixture.http('POST', `/v1/tasks/${taskId}/${word}`, body);
    expect((await command('assign', { agentId: 'hand-a' })).body).toMatchObject({ status: 'assigned' });
    await fill('hand-b');
    expect((await command('reassign', { agentId: 'hand-b' })).body.status).toBe('queued');
    expect(await taskOf(taskId)).toMatchObject({ pinnedTo: 'hand-b', statusReason: 'reassigned' });
    expect((await command('assign', { agentId: 'hand-b' })).body.code).toBe('AGENT_AT_CAPACITY');
    expect((await command('assign', { agentId: 'hand-a' })).body.status).toBe('assigned');
    expect((await command('reassign', {})).body.status).toBe('queued');
    expect((await command('assign', { agentId: 'nobody' })).body.code).toBe('AGENT_NOT_FOUND');
  });
});

describe('afterwards', () => {
  it('every task replays from its history', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(8);
  });
});
