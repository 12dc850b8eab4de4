import { describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { TaskFailure } from '../src/index.js';
import { useAgents } from './support/agents.js';
import { assignment, refuse } from './support/task-service.js';

const { startAgent } = useAgents();

describe('an agent and the tasks it created', () => {
  it('changes, links, releases, unblocks, reopens and deletes them, with one id for all tries of a command', async () => {
    const { agent, baton } = await startAgent();
    // Every first try is accepted and its answer lost.
    baton.answers.call = () =>
      baton.calls.length % 2 === 1 ? refuse('UNAVAILABLE', true) : { ok: true, version: 7 };
    expect(await agent.update('some-id', { priority: 1, deadline: null }, { version: 6 })).toEqual({
      version: 7,
    });
    await agent.link('some-id', 'other-id', { policy: 'wait' });
    await agent.unlink('some-id', 'other-id');
    await agent.unblock('some-id', { n: 1 });
    await agent.release('some-id');
    await agent.reopen('some-id', { input: { page: 2 } });
    await agent.delete('some-id');
    const said = baton.calls.map(({ verb, body: { commandId: _, ...body } }) => ({ verb, body }));
    const taskId = 'some-id';
    const expected = [
      { verb: 'update', body: { taskId, changes: { priority: 1, deadline: null }, version: 6 } },
      { verb: 'link', body: { taskId, dependsOn: 'other-id', policy: 'wait' } },
      { verb: 'unlink', body: { taskId, dependsOn: 'other-id' } },
      { verb: 'unblock', body: { taskId, answer: { n: 1 } } },
      { verb: 'release', body: { taskId } },
      { verb: 'reopen', body: { taskId, changes: { input: { page: 2 } } } },
      { verb: 'delete', body: { taskId } },
    ];
    expect(said).toEqual(expected.flatMap((call) => [call, call]));
    const ids = baton.calls.map(({ body }) => body['commandId']);
    expect(ids.filter((id, index) => id === ids[index ^ 1])).toHaveLength(14);
    expect(new Set(ids).size).toBe(7);
  });
});

describe('a handler that meets a limit of others', () => {
  it('says how long the task is to wait', async () => {
    const { baton } = await startAgent({
      handler: () => {
        throw new TaskFailure('rate_limited', 'the model answered 429', { retryAfter: 30 });
      },
    });
    await baton.offer([assignment()]);
    await until(() => baton.of('fail').length === 1);
    expect(baton.of('fail')[0]?.error).toEqual({
      code: 'rate_limited',
      message: 'the model answered 429',
      retryable: true,
      retryAfter: 30,
    });
  });
});
