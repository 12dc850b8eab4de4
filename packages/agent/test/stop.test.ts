import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { until } from '@baton/testkit';
import type { TaskAborted } from '../src/index.js';
import { createGate, useAgents } from './support/agents.js';
import { assignment } from './support/task-service.js';

const { nats, playBaton, makeAgent, startAgent } = useAgents();

describe('stopping an agent', () => {
  it('drains: gives back what has not begun, refuses more, lets the rest finish, leaves', async () => {
    const gate = createGate();
    const { agent, baton } = await startAgent({ maxConcurrent: 1, prefetch: 1, handler: () => gate.opened });
    const [running, queued] = [assignment(), assignment()];
    await baton.offer([running, queued]);
    await until(() => baton.heartbeats.at(-1)?.running.length === 1);

    const stopped = agent.stop();
    await until(() => baton.of('return').length === 1);
    expect(baton.of('return')[0]).toMatchObject({ taskId: queued.task.id, reason: 'draining' });
    const late = assignment();
    expect((await baton.offer([late])).rejected).toEqual([{ taskId: late.task.id, code: 'DRAINING' }]);
    expect(baton.goodbyes).toEqual([{ epoch: 1, mode: 'drain' }]);

    gate.open('finished');
    await stopped;
    await agent.closed;
    expect(baton.of('complete')).toMatchObject([{ taskId: running.task.id, result: 'finished' }]);
    expect(baton.goodbyes.at(-1)).toEqual({ epoch: 1, mode: 'leave' });
    await agent.stop();
  });

  it('gives back what still runs at the deadline', async () => {
    const begun = createGate<AbortSignal>();
    const { agent, baton } = await startAgent({
      handler: (_task, { signal }) => {
        begun.open(signal);
        return new Promise(() => {});
      },
    });
    const given = assignment();
    await baton.offer([given]);
    const signal = await begun.opened;
    await agent.stop({ deadlineMs: 50 });
    expect((signal.reason as TaskAborted).kind).toBe('shutdown');
    expect(baton.of('return')).toMatchObject([{ taskId: given.task.id, reason: 'draining' }]);
    expect(baton.goodbyes.map(({ mode }) => mode)).toEqual(['drain', 'leave']);
  });

  it('drains on request of Baton and takes tasks again after a rehello', async () => {
    const { baton } = await startAgent();
    baton.control({ type: 'drain' });
    const refused = await until(async () => (await baton.offer([assignment()])).rejected[0]);
    expect(refused.code).toBe('DRAINING');
    baton.control({ type: 'rehello' });
    const accepted = await until(async () => (await baton.offer([assignment()])).accepted[0]);
    await until(() => baton.of('complete').some((command) => command.taskId === accepted));
  });

  it('can be stopped before it was ever connected', async () => {
    const agent = makeAgent('nowhere', { servers: 'nats://127.0.0.1:1' });
    const started = agent.start();
    await agent.stop();
    await expect(started).rejects.toThrow('agent nowhere was stopped');
  });
});

describe('an agent process', () => {
  const program = `
    import { runAgent } from '@baton/agent';
    await runAgent({
      id: 'process',
      deadlineMs: 20_000,
      handler: (task) => new Promise((resolve) => setTimeout(resolve, task.input.ms, 'done')),
    });`;

  async function run() {
    const baton = await playBaton('process');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: new URL('..', import.meta.url),
      env: {
        ...process.env,
        NATS_URL: nats().url,
        BATON_NATS_CREDENTIALS_FILE: await nats().access.agentFiles(['process']),
      },
      stdio: 'inherit',
    });
    const exited = once(child, 'exit') as Promise<[number | null]>;
    await until(() => baton.heartbeats.length > 0);
    return { baton, child, exited };
  }

  it('finishes what it runs on SIGTERM and exits with 0', async () => {
    const { baton, child, exited } = await run();
    await baton.offer([assignment({ task: { input: { ms: 300 } } })]);
    await until(() => baton.heartbeats.at(-1)?.running.length === 1);
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(baton.of('complete')).toMatchObject([{ result: 'done' }]);
    expect(baton.goodbyes.map(({ mode }) => mode)).toEqual(['drain', 'leave']);
  });

  it('exits at once on a second signal', async () => {
    const { baton, child, exited } = await run();
    await baton.offer([assignment({ task: { input: { ms: 60_000 } } })]);
    await until(() => baton.heartbeats.at(-1)?.running.length === 1);
    child.kill('SIGTERM');
    await until(() => baton.goodbyes.length === 1);
    child.kill('SIGTERM');
    expect(await exited).toEqual([143, null]);
  });
});
