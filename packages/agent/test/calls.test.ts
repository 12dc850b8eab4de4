import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { until } from '@baton/testkit';
import type { InboxItem } from '../src/index.js';
import { useAgents } from './support/agents.js';
import { assignment, refuse, welcome } from './support/task-service.js';

const { playBaton, makeAgent, startAgent } = useAgents();

const created = (ref?: string) => ({
  id: randomUUID(),
  status: 'queued',
  version: 1,
  ...(ref ? { ref } : {}),
});
const end = (): InboxItem => ({
  id: randomUUID(),
  taskId: randomUUID(),
  status: 'completed',
  reason: null,
  at: '2026-01-01T00:00:00.000Z',
});

describe('calls', () => {
  it('spawns children with the fence of the parent and keys that every attempt counts the same way', async () => {
    const { baton } = await startAgent({
      handler: async (_task, context) => {
        const child = await context.spawn({ title: 'one' });
        const several = await context.spawn([{ title: 'two' }, { title: 'three' }]);
        const graph = await context.spawn({
          tasks: [
            { ref: 'a', title: 'a' },
            { ref: 'b', title: 'b', dependencies: [{ ref: 'a' }] },
          ],
        });
        await context.spawn({ title: 'keyed' }, { idempotencyKey: 'mine' });
        return [child.id, several.length, graph.map((task) => task.ref)];
      },
    });
    baton.answers.call = ({ body }) => {
      const what = (body['tasks'] ??
        (body['graph'] as { tasks?: unknown } | undefined)?.tasks ?? [1]) as unknown[];
      return { ok: true, tasks: what.map((task) => created((task as { ref?: string }).ref)) };
    };
    const given = assignment({ attempt: 2 });
    await baton.offer([given]);
    await until(() => baton.of('complete').length === 1);
    expect(baton.of('complete')[0]?.result).toEqual([expect.any(String), 2, ['a', 'b']]);
    const parent = { taskId: given.task.id, attempt: 2, epoch: 1 };
    expect(baton.calls).toMatchObject([
      { verb: 'spawn', body: { task: { title: 'one' }, parent, idempotencyKey: `${given.task.id}:1` } },
      {
        verb: 'spawn',
        body: { tasks: [{ title: 'two' }, { title: 'three' }], idempotencyKey: `${given.task.id}:2` },
      },
      {
        verb: 'spawn',
        body: { graph: { tasks: [{ ref: 'a' }, { ref: 'b' }] }, idempotencyKey: `${given.task.id}:3` },
      },
      { verb: 'spawn', body: { task: { title: 'keyed' }, idempotencyKey: 'mine' } },
    ]);
  });

  it('creates with the same key until answered, and hands refusals on as they came', async () => {
    const { agent, baton } = await startAgent();
    baton.answers.call = () =>
      baton.calls.length === 1 ? refuse('UNAVAILABLE', true) : { ok: true, tasks: [created()] };
    expect(await agent.create({ title: 'a task' })).toMatchObject({ status: 'queued' });
    const [first, second] = baton.calls;
    expect(first?.verb).toBe('create');
    expect(second?.body).toEqual(first?.body);

    baton.answers.call = () => refuse('TASK_NOT_FOUND');
    await expect(agent.get(randomUUID())).rejects.toMatchObject({
      name: 'DomainError',
      code: 'TASK_NOT_FOUND',
    });
    baton.answers.call = () => ({ ok: true, task: { id: 'the task' } });
    expect(await agent.get(randomUUID())).toEqual({ id: 'the task' });
    const page = { data: [{ id: 'one' }], page: { next: null, hasMore: false } };
    baton.answers.call = () => ({ ok: true, ...page });
    expect(await agent.list({ q: 'status:failed', limit: 1 })).toEqual(page);
    expect(baton.calls.at(-1)).toEqual({ verb: 'list', body: { q: 'status:failed', limit: 1 } });
    await agent.cancel('some-id', 'not needed');
    const body = { taskId: 'some-id', reason: 'not needed' };
    expect(baton.calls.at(-1)).toMatchObject({ verb: 'cancel', body });
    await expect(agent.create({ title: 'x'.repeat(300_000) })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    });
  });

  it('gives a handler what its task depends on', async () => {
    const result = {
      taskId: randomUUID(),
      name: 'figures',
      title: 't',
      status: 'completed',
      result: 42,
    } as const;
    const { baton } = await startAgent({
      handler: (_task, context) => {
        expect(() => context.dependency('missing')).toThrow('this task has: figures');
        return [
          context.dependency('figures').result,
          context.dependency(result.taskId).result,
          context.attempt,
        ];
      },
    });
    await baton.offer([assignment({ dependencyResults: [result] })]);
    await until(() => baton.of('complete').length === 1);
    expect(baton.of('complete')[0]?.result).toEqual([42, 42, 1]);
  });
});

describe('the inbox', () => {
  it('acknowledges an end when its listener is through, and hears each once', async () => {
    const { agent, baton } = await startAgent();
    const heard: string[] = [];
    agent.onEnd((item) => void heard.push(item.taskId));
    const [one, two] = [end(), end()];
    expect(await baton.inbox([one])).toEqual({ ack: [one.id] });
    expect(await baton.inbox([one, two])).toEqual({ ack: [one.id, two.id] });
    expect(heard).toEqual([one.taskId, two.taskId]);
  });

  it('leaves an end unacknowledged whose listener threw, and hears it again', async () => {
    const { agent, baton } = await startAgent();
    let failing = true;
    agent.onEnd(() => {
      if (failing) throw new Error('not now');
    });
    const item = end();
    expect(await baton.inbox([item])).toEqual({ ack: [] });
    failing = false;
    expect(await baton.inbox([item])).toEqual({ ack: [item.id] });
  });

  it('hears the first page of the hello and acknowledges it by a call', async () => {
    const baton = await playBaton('informed');
    const items = [end(), end()];
    baton.answers.hello = () => welcome(1, { items });
    const agent = makeAgent('informed');
    const heard: string[] = [];
    agent.onEnd((item) => void heard.push(item.id));
    await agent.start();
    await until(() => baton.calls.length === 1);
    expect(baton.calls).toEqual([{ verb: 'ack', body: { ids: items.map((item) => item.id) } }]);
    expect(heard).toEqual(items.map((item) => item.id));
  });
});
