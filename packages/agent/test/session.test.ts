import { describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { DomainError, TaskAborted } from '../src/index.js';
import { createGate, useAgents } from './support/agents.js';
import { assignment, refuse, welcome } from './support/task-service.js';

const { nats, playBaton, makeAgent, startAgent } = useAgents();

describe('the session of an agent', () => {
  it('says hello with what it can do, then beats with a rising number', async () => {
    const { agent, baton } = await startAgent({
      capabilities: ['write', { name: 'read', level: 0.5 }],
      maxConcurrent: 7,
      prefetch: 1,
      labels: { zone: 'a' },
    });
    expect(baton.hellos).toEqual([
      {
        capabilities: [
          { name: 'write', level: 1 },
          { name: 'read', level: 0.5 },
        ],
        maxConcurrent: 7,
        prefetch: 1,
        labels: { zone: 'a' },
        instance: expect.any(String),
        startedAt: expect.any(String),
        running: [],
      },
    ]);
    expect(agent.ready).toBe(true);
    await until(() => baton.heartbeats.length >= 3);
    expect(baton.heartbeats.slice(0, 3)).toEqual([1, 2, 3].map((seq) => ({ epoch: 1, seq, running: [] })));
  });

  it('refuses options that cannot be, naming them', () => {
    expect(() => makeAgent('no spaces')).toThrow('createAgent: id');
    expect(() => makeAgent('a', { capabilities: [{ name: 'write', level: 2 }] })).toThrow(
      '/capabilities/0/level',
    );
  });

  it('repeats hello until somebody answers', async () => {
    const started = makeAgent('patient').start();
    let refusals = 0;
    const baton = await playBaton('patient', {
      hello: () => (++refusals < 3 ? refuse('UNAVAILABLE', true) : welcome(4)),
    });
    await started;
    expect(baton.hellos).toHaveLength(3);
    await until(() => baton.heartbeats.some((beat) => beat.epoch === 4));
  });

  it('starts while NATS is down, and comes back with the same instance and what it runs', async () => {
    const gate = createGate();
    const baton = await playBaton('returning');
    await nats().stop();
    const agent = makeAgent('returning', { handler: () => gate.opened });
    const started = agent.start();
    await nats().restart('kept');
    await started;

    const given = assignment();
    await until(() => baton.offer([given]));
    await until(() => baton.of('start').length === 1);
    await nats().kill();
    await until(() => !agent.ready);
    await nats().restart('kept');
    await until(() => agent.ready && baton.hellos.length === 2);
    const [before, after] = baton.hellos;
    expect(after).toEqual({ ...before, running: [{ taskId: given.task.id, attempt: 1 }] });
    gate.open('done');
    await until(() => baton.of('complete')[0]?.result === 'done');
  });

  it('says hello again when Baton asks', async () => {
    const { baton } = await startAgent();
    baton.control({ type: 'rehello' });
    await until(() => baton.hellos.length === 2);
    expect(baton.hellos[1]?.instance).toBe(baton.hellos[0]?.instance);
  });

  it('stops for good when another process of the agent took over', async () => {
    const gate = createGate<AbortSignal>();
    const { agent, baton } = await startAgent({
      handler: (_task, { signal }) => {
        gate.open(signal);
        return new Promise(() => {});
      },
    });
    await baton.offer([assignment()]);
    const signal = await gate.opened;
    baton.answers.hello = () => refuse('STALE_SESSION');
    baton.control({ type: 'rehello' });
    const error = await agent.closed.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DomainError);
    expect((error as DomainError).code).toBe('STALE_SESSION');
    expect(signal.reason).toBeInstanceOf(TaskAborted);
    expect((signal.reason as TaskAborted).kind).toBe('session_lost');
    expect(agent.ready).toBe(false);
    const beats = baton.heartbeats.length;
    await expect(baton.offer([assignment()], { timeoutMs: 500 })).rejects.toThrow('no responders');
    expect(baton.heartbeats).toHaveLength(beats);
    expect(baton.of('complete')).toEqual([]);
  });

  it('does not start an agent that Baton refuses', async () => {
    const baton = await playBaton('unknown');
    baton.answers.hello = () => refuse('AGENT_NOT_FOUND');
    await expect(makeAgent('unknown').start()).rejects.toMatchObject({ code: 'AGENT_NOT_FOUND' });
  });

  it('abandons the work of an epoch that is over, and takes what the hello brings', async () => {
    const signals: AbortSignal[] = [];
    const { baton } = await startAgent({
      maxConcurrent: 1,
      prefetch: 1,
      handler: (_task, { signal }) => {
        signals.push(signal);
        return signals.length > 1 ? 'again' : new Promise(() => {});
      },
    });
    const [running, queued] = [assignment(), assignment()];
    await baton.offer([running, queued]);
    await until(() => signals.length === 1);
    baton.answers.hello = () => welcome(2, { assignments: [running, queued] });
    baton.control({ type: 'rehello' });
    // What ran is refused by the fence, whatever its handler still does; what had not begun starts in the new epoch.
    await until(() => baton.of('complete').length === 1);
    expect((signals[0]!.reason as TaskAborted).kind).toBe('session_lost');
    expect(baton.of('complete')).toMatchObject([{ taskId: queued.task.id, epoch: 2, result: 'again' }]);
    expect(baton.of('start')).toMatchObject([
      { taskId: running.task.id, epoch: 1 },
      { taskId: queued.task.id, epoch: 2 },
    ]);
  });

  it('keeps an offer that overtakes the answer to its hello', async () => {
    const baton = await playBaton('early');
    const answer = createGate<object>();
    baton.answers.hello = () => answer.opened;
    const started = makeAgent('early').start();
    await until(() => baton.hellos.length === 1);
    const answered = baton.offer([assignment()], { epoch: 9 });
    await expect(baton.offer([assignment()], { epoch: 8, timeoutMs: 200 })).rejects.toThrow('timeout');
    answer.open(welcome(9));
    await started;
    expect((await answered).accepted).toHaveLength(1);
    await until(() => baton.of('complete').length === 1);
    expect(baton.of('start')).toHaveLength(1);
  });
});
