import { describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { TaskAborted, TaskFailure } from '../src/index.js';
import { createGate, useAgents } from './support/agents.js';
import { accept, assignment, refuse } from './support/task-service.js';

const { nats, startAgent } = useAgents();

describe('offers', () => {
  it('runs a task: start, handler, complete, all with the same fence', async () => {
    const { baton } = await startAgent({
      handler: (task) => ({ echo: task.input['text'] ?? null }),
    });
    const given = assignment({ attempt: 3, task: { input: { text: 'four' } } });
    expect(await baton.offer([given])).toEqual({ accepted: [given.task.id], rejected: [] });
    await until(() => baton.of('complete').length === 1);
    const fence = { taskId: given.task.id, attempt: 3, epoch: 1 };
    expect(baton.commands).toEqual([
      { verb: 'start', ...fence, commandId: expect.any(String) },
      { verb: 'complete', ...fence, commandId: expect.any(String), result: { echo: 'four' } },
    ]);
    expect(baton.commands[0]?.commandId).not.toBe(baton.commands[1]?.commandId);
  });

  it('accepts a repeated offer again and runs it once, also after its end', async () => {
    const gate = createGate();
    let runs = 0;
    const { baton } = await startAgent({ handler: () => ((runs += 1), gate.opened) });
    const given = assignment();
    const expected = { accepted: [given.task.id], rejected: [] };
    expect(await Promise.all([baton.offer([given]), baton.offer([given])])).toEqual([expected, expected]);
    gate.open(null);
    await until(() => baton.of('complete').length === 1);
    expect(await baton.offer([given])).toEqual(expected);
    expect(await baton.offer([{ ...given, attempt: 0 }])).toEqual({ accepted: [], rejected: [] });
    expect(runs).toBe(1);
    expect(baton.of('start')).toHaveLength(1);
    // A later attempt of the same task is another assignment.
    await baton.offer([{ ...given, attempt: 2 }]);
    await until(() => baton.of('complete').length === 2);
  });

  it('leaves offers of another epoch and malformed ones unanswered', async () => {
    const { baton } = await startAgent();
    for (const epoch of [0, 2]) {
      await expect(baton.offer([assignment()], { epoch, timeoutMs: 200 })).rejects.toThrow('timeout');
    }
    await expect(baton.offer([{ task: { id: 'x' } }], { timeoutMs: 200 })).rejects.toThrow('timeout');
    expect(baton.commands).toEqual([]);
  });

  it('refuses what it has no room for, and starts what it prefetched when a slot is free', async () => {
    const gate = createGate();
    const { baton } = await startAgent({ maxConcurrent: 2, prefetch: 1, handler: () => gate.opened });
    const four = [assignment(), assignment(), assignment(), assignment()];
    const ids = four.map((given) => given.task.id);
    expect(await baton.offer(four)).toEqual({
      accepted: ids.slice(0, 3),
      rejected: [{ taskId: ids[3], code: 'AT_CAPACITY' }],
    });
    await until(() => baton.heartbeats.at(-1)?.running.length === 2);
    expect(baton.of('start').map((command) => command.taskId)).toEqual(ids.slice(0, 2));
    gate.open(null);
    await until(() => baton.of('complete').length === 3);
  });

  it('sends the commands of many tasks in few messages', async () => {
    const { baton } = await startAgent({ maxConcurrent: 200 });
    await baton.offer(Array.from({ length: 200 }, () => assignment()));
    await until(() => baton.of('complete').length === 200);
    expect(baton.batches.filter(({ verb }) => verb === 'start')).toEqual([{ verb: 'start', size: 200 }]);
    expect(baton.batches.filter(({ verb }) => verb === 'complete').length).toBeLessThanOrEqual(5);
    await until(() => baton.heartbeats.at(-1)?.running.length === 0);
  });

  it('lists a task in its beats from the first start on until its end is answered, and no other', async () => {
    const { baton } = await startAgent({ prefetch: 1, maxConcurrent: 1, handler: () => 'done' });
    const given = assignment();
    const listed = [{ taskId: given.task.id, attempt: 1 }];
    const nextBeats = async () => {
      const seen = baton.heartbeats.length;
      await until(() => baton.heartbeats.length >= seen + 2);
      return baton.heartbeats.slice(seen + 1).map(({ running }) => running);
    };
    baton.answers.command = () => refuse('UNAVAILABLE', true);
    await baton.offer([given, assignment()]);
    await until(() => baton.of('start').length > 1);
    for (const running of await nextBeats()) expect(running).toEqual(listed);
    baton.answers.command = (command) =>
      command.verb === 'start' ? accept(command) : refuse('UNAVAILABLE', true);
    await until(() => baton.of('complete').some(({ taskId }) => taskId === given.task.id));
    for (const running of await nextBeats()) expect(running).toContainEqual(listed[0]);
    baton.answers.command = accept;
    await until(() => baton.heartbeats.at(-1)?.running.length === 0);
  });

  it('drops a task whose start is refused, quietly', async () => {
    const { baton } = await startAgent({ handler: () => expect(true).toBe(false) });
    baton.answers.command = () => refuse('TASK_STATE_CONFLICT');
    const given = assignment();
    await baton.offer([given]);
    await until(() => baton.of('start').length === 1);
    await until(() => baton.heartbeats.at(-1)?.running.length === 0);
    await baton.offer([given]);
    expect(baton.commands).toHaveLength(1);
  });
});

describe('the end of a task', () => {
  it('fails with what the handler threw', async () => {
    const errors = [
      new TaskFailure('no_such_page', 'gone', { retryable: false }),
      new Error('oops'),
      new TaskFailure('not a word', 'x\0'.repeat(9_000)),
    ];
    const { baton } = await startAgent({
      handler: () => {
        throw errors.shift() as Error;
      },
    });
    for (const expected of [
      { code: 'no_such_page', message: 'gone', retryable: false },
      { code: 'failed', message: 'oops', retryable: true },
      { code: 'failed', message: 'x\u{FFFD}'.repeat(1_024), retryable: true },
    ]) {
      const before = baton.of('fail').length;
      await baton.offer([assignment()]);
      await until(() => baton.of('fail').length > before);
      expect(baton.of('fail').at(-1)?.error).toEqual(expected);
    }
  });

  it('fails a task whose result cannot be sent', async () => {
    const results = [10n, 'x'.repeat(300_000), 'refused by Baton'];
    const { baton } = await startAgent({ handler: () => results.shift() });
    baton.answers.command = (command) =>
      command.verb === 'complete' ? refuse('VALIDATION_FAILED') : accept(command);
    for (const count of [1, 2, 3]) {
      await baton.offer([assignment()]);
      await until(() => baton.of('fail').length === count);
      expect(baton.of('fail').at(-1)?.error).toMatchObject({ code: 'invalid_result', retryable: false });
    }
  });

  it('fails a task, to be tried again, whose result its type does not take', async () => {
    const { baton } = await startAgent({ handler: () => 'not what the type asks' });
    baton.answers.command = (command) =>
      command.verb === 'complete' ? refuse('INVALID_RESULT') : accept(command);
    await baton.offer([assignment()]);
    await until(() => baton.of('fail').length === 1);
    expect(baton.of('fail')[0]?.error).toMatchObject({ code: 'invalid_result', retryable: true });
  });

  it('gives a task back when the handler says so', async () => {
    const { baton } = await startAgent({ handler: (_task, context) => context.giveBack() });
    await baton.offer([assignment()]);
    await until(() => baton.of('return').length === 1);
    expect(baton.of('return')[0]?.reason).toBe('declined');
  });

  it('repeats the same command when its answer was lost, until answered', async () => {
    const { baton } = await startAgent({ handler: () => 'precious' });
    let lost = 0;
    baton.answers.command = (command) => {
      if (command.verb !== 'complete' || lost === 2) return accept(command);
      lost += 1;
      // First no answer at all, then one that says to try again.
      return lost === 1 ? undefined : refuse('UNAVAILABLE', true);
    };
    await baton.offer([assignment()]);
    await until(() => baton.of('complete').length === 3, { timeoutMs: 15_000 });
    expect(new Set(baton.of('complete').map((command) => command.commandId)).size).toBe(1);
    expect(baton.of('complete').every((command) => command.result === 'precious')).toBe(true);
  });

  it('keeps a result while NATS is away', async () => {
    const gate = createGate();
    const { agent, baton } = await startAgent({ handler: () => gate.opened });
    await baton.offer([assignment()]);
    await until(() => baton.heartbeats.at(-1)?.running.length === 1);
    await nats().kill();
    await until(() => !agent.ready);
    gate.open('kept');
    await nats().restart('kept');
    await until(() => baton.of('complete').length > 0);
    expect(baton.of('complete')[0]?.result).toBe('kept');
  });
});

function holdUntilAborted() {
  const begun = createGate<AbortSignal>();
  return {
    begun,
    handler: async (_task: unknown, { signal }: { signal: AbortSignal }) => {
      begun.open(signal);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return 'too late';
    },
  };
}

describe('a handler at work', () => {
  it.each([
    ['cancel', 'cancelled'],
    ['revoke', 'revoked'],
  ] as const)('is told to stop by %s, and nothing of it is sent any more', async (type, kind) => {
    const { begun, handler } = holdUntilAborted();
    const { baton } = await startAgent({ handler, maxConcurrent: 1 });
    const given = assignment({ attempt: 2 });
    await baton.offer([given]);
    const signal = await begun.opened;
    baton.control({ type, taskId: given.task.id, attempt: 1 });
    baton.control({ type, taskId: given.task.id, attempt: 2, reason: 'not needed' });
    await until(() => signal.aborted);
    expect(signal.reason).toBeInstanceOf(TaskAborted);
    expect((signal.reason as TaskAborted).kind).toBe(kind);
    expect((signal.reason as TaskAborted).message).toContain('not needed');
    // Its slot is free at once.
    expect((await baton.offer([assignment()])).accepted).toHaveLength(1);
    await until(() => baton.of('start').length === 2);
    expect(baton.of('complete')).toEqual([]);
  });

  it('reports progress, the latest first of all', async () => {
    const gate = createGate();
    const { baton } = await startAgent({
      handler: (_task, context) => {
        for (let percent = 1; percent <= 50; percent += 1) context.progress(percent, `step ${percent}`);
        return gate.opened;
      },
    });
    await baton.offer([assignment()]);
    await until(() => baton.of('progress').length === 1);
    expect(baton.of('progress')[0]).toMatchObject({ percent: 50, message: 'step 50' });
    gate.open(null);
    await until(() => baton.of('complete').length === 1);
  });

  it('is told to stop when its progress turns out to be stale', async () => {
    const { begun, handler } = holdUntilAborted();
    const { baton } = await startAgent({
      handler: (task, context) => {
        context.progress(1);
        return handler(task, context);
      },
    });
    baton.answers.command = (command) =>
      command.verb === 'progress' ? refuse('STALE_ATTEMPT') : accept(command);
    await baton.offer([assignment()]);
    const signal = await begun.opened;
    await until(() => signal.aborted);
    expect((signal.reason as TaskAborted).kind).toBe('stale');
    expect(baton.of('complete')).toEqual([]);
  });
});
