import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const release = (taskId: string) => fixture.http('POST', `/v1/tasks/${taskId}/release`, {});

describe('a task that is held back', () => {
  it('goes to nobody until it is released, once', async () => {
    await hello(fixture, 'ready');
    const taskId = await create(fixture, { hold: true });
    const held = (await fixture.http('GET', `/v1/tasks/${taskId}`)).body;
    expect(held).toMatchObject({ status: 'created', statusReason: 'held', firstQueuedAt: null });
    expect((await assign(fixture, taskId, 'ready')).error.code).toBe('TASK_STATE_CONFLICT');
    const { body } = await fixture.http('GET', `/v1/tasks/${taskId}/decision`);
    expect(body.waiting).toMatchObject({ reason: 'HELD' });
    expect((await release(taskId)).body).toMatchObject({ status: 'queued', version: 2 });
    expect((await release(taskId)).body).toMatchObject({
      code: 'TASK_STATE_CONFLICT',
      details: { status: 'queued' },
    });
    expect(await assign(fixture, taskId, 'ready')).toMatchObject({ ok: true });
  });

  it('waits after its release for what it depends on, and goes with what failed meanwhile', async () => {
    const { epoch } = await hello(fixture, 'worker');
    const first = await create(fixture);
    const dependencies = [{ taskId: first }];
    const [kept, late] = [
      await create(fixture, { hold: true, dependencies }),
      await create(fixture, { hold: true, dependencies }),
    ];
    expect((await release(kept)).body.status).toBe('blocked');
    const { attempt } = await assign(fixture, first, 'worker');
    const error = { message: 'it broke', retryable: false };
    await verb(fixture, 'worker', 'fail', { taskId: first, attempt, epoch, error });
    await until(async () => (await statusOf(fixture, kept)) === 'failed');
    expect(await statusOf(fixture, late)).toBe('created');
    await release(late);
    await until(async () => (await statusOf(fixture, late)) === 'failed');
  });

  it('is released over NATS by the agent that created it, and by no other', async () => {
    for (const id of ['creator', 'stranger']) await hello(fixture, id);
    const { tasks } = await fixture.ask('agent.creator.call.create', {
      task: { title: 'held', hold: true },
    });
    const taskId = tasks[0].id;
    const commandId = '0193a1c5-0005-7000-8000-000000000005';
    const strange = await fixture.ask('agent.stranger.call.release', { taskId });
    expect(strange.error.code).toBe('TASK_NOT_FOUND');
    const first = await fixture.ask('agent.creator.call.release', { taskId, commandId });
    expect(first).toMatchObject({ ok: true, status: 'queued', version: 2 });
    expect(await fixture.ask('agent.creator.call.release', { taskId, commandId })).toEqual(first);
  });
});
