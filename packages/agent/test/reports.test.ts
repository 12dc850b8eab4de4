import { describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { LIMITS } from '@baton/contracts';
import type { DomainError, TaskAborted } from '../src/index.js';
import { createGate, useAgents } from './support/agents.js';
import { accept, assignment, refuse } from './support/task-service.js';

const { startAgent } = useAgents();

describe('what a handler leaves with its task', () => {
  it('is told in order, and answered before the task ends', async () => {
    const { baton } = await startAgent({
      handler: async (_task, context) => {
        context.log('begun');
        context.log('odd', 'warn');
        await context.saveArtifact({ name: 'a', url: 'https://example.org/a' });
        await context.saveCheckpoint({ page: 3 });
        context.log(`\0${'x'.repeat(LIMITS.logCharacters - 2)}\u{1F600}`);
      },
    });
    // The first answer to a log is lost.
    baton.answers.command = (command) =>
      command.verb === 'log' && baton.of('log').length <= 2 ? refuse('UNAVAILABLE', true) : accept(command);
    await baton.offer([assignment()]);
    await until(() => baton.of('complete').length === 1);
    expect(baton.of('log')).toHaveLength(5);
    const said = baton.of('log').map(({ level, message }) => `${level} ${message}`);
    expect(said).toContain('warn odd');
    expect(said).toContain(`info \uFFFD${'x'.repeat(LIMITS.logCharacters - 2)}\uFFFD`);
    expect(new Set(baton.of('log').map(({ commandId }) => commandId)).size).toBe(3);
    expect(baton.of('artifact')).toMatchObject([{ artifact: { name: 'a' } }]);
    expect(baton.of('checkpoint')).toMatchObject([{ checkpoint: { page: 3 } }]);
  });

  it('gets the checkpoint of the attempt before', async () => {
    const seen: unknown[] = [];
    const { baton } = await startAgent({
      handler: async (_task, context) => {
        seen.push(context.checkpoint);
        await context.saveCheckpoint(null);
      },
    });
    await baton.offer([assignment({ attempt: 2, checkpoint: { page: 3 } }), assignment()]);
    await until(() => baton.of('complete').length === 2);
    expect(seen).toEqual([{ page: 3 }, null]);
    expect(baton.of('checkpoint')).toMatchObject([{ checkpoint: null }, { checkpoint: null }]);
  });

  it('may be refused: a log goes on silent, the rest rejects', async () => {
    const refusal = (work: Promise<void>) => work.catch(({ code }: DomainError) => code);
    const { baton } = await startAgent({
      handler: async (_task, context) => {
        context.log('one too many');
        const refusals = [
          // Answered behind the line.
          await refusal(context.saveArtifact({ name: 'a', url: 'https://example.org/a' })),
          await refusal(context.saveArtifact({ name: 'b', url: 'https://example.org/b' })),
          await refusal(context.saveCheckpoint('x'.repeat(LIMITS.agentMessageBytes))),
        ];
        context.log('never sent');
        return refusals;
      },
    });
    baton.answers.command = (command) => {
      if (command.verb === 'log') return refuse('TOO_MANY_LOG_LINES');
      return command.verb === 'artifact' ? refuse('TOO_MANY_ARTIFACTS') : accept(command);
    };
    await baton.offer([assignment()]);
    await until(() => baton.of('complete').length === 1);
    expect(baton.of('complete')[0]?.result).toEqual([
      'TOO_MANY_ARTIFACTS',
      'TOO_MANY_ARTIFACTS',
      'PAYLOAD_TOO_LARGE',
    ]);
    expect(baton.of('log')).toHaveLength(1);
  });

  it('stops the handler when the task turns out to be lost', async () => {
    const stopped = createGate();
    const { baton } = await startAgent({
      handler: async (_task, context) => {
        await context.saveCheckpoint(1).catch(() => stopped.open(context.signal.reason));
        return 'too late';
      },
    });
    baton.answers.command = (command) =>
      command.verb === 'checkpoint' ? refuse('STALE_ATTEMPT') : accept(command);
    await baton.offer([assignment()]);
    expect(((await stopped.opened) as TaskAborted).kind).toBe('stale');
    await baton.offer([assignment()]);
    await until(() => baton.of('checkpoint').length === 2);
    expect(baton.of('complete')).toEqual([]);
  });
});
