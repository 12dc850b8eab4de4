import { describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { TaskAborted, type DomainError, type HandedOn } from '../src/index.js';
import { createGate, useAgents } from './support/agents.js';
import { accept, assignment, refuse } from './support/task-service.js';

const { startAgent } = useAgents();

describe('a handler that hands its task on', () => {
  it('is told to stop once another agent has it, and what it returns counts for nothing', async () => {
    const aborted: unknown[] = [];
    const handed: HandedOn[] = [];
    const returned = createGate();
    const { baton } = await startAgent({
      handler: async (_task, context) => {
        const { signal } = context;
        signal.addEventListener('abort', () => aborted.push(signal.reason));
        handed.push(await context.delegate('reviewer'));
        returned.open(null);
        return 'too late';
      },
    });
    baton.answers.command = (command) => {
      if (command.verb !== 'delegate') return accept(command);
      // Baton tells whoever lost a task, which comes before the answer.
      baton.control({ type: 'revoke', taskId: command.taskId, attempt: 1 });
      return { ...accept(command), status: 'queued' };
    };
    await baton.offer([assignment({ attempt: 1 })]);
    await returned.opened;
    expect(handed).toEqual([{ status: 'queued', to: 'reviewer' }]);
    expect(aborted).toEqual([expect.any(TaskAborted)]);
    expect((aborted[0] as TaskAborted).kind).toBe('delegated');
    expect(baton.of('delegate')).toMatchObject([{ to: 'reviewer', attempt: 1 }]);
    await baton.offer([assignment()]);
    await until(() => baton.of('delegate').length === 2);
    expect(baton.of('complete')).toEqual([]);
  });

  it('goes on when that is refused', async () => {
    const { baton } = await startAgent({
      handler: async (_task, context) => {
        const refusal = await context.delegate('stranger').catch((error: unknown) => error);
        return { refused: (refusal as DomainError).code };
      },
    });
    baton.answers.command = (command) =>
      command.verb === 'delegate' ? refuse('DELEGATION_NOT_CONNECTED') : accept(command);
    await baton.offer([assignment()]);
    await until(() => baton.of('complete').length === 1);
    expect(baton.of('complete')[0]?.result).toEqual({ refused: 'DELEGATION_NOT_CONNECTED' });
  });
});

describe('what a handler has used up', () => {
  it('is told with the next progress and with the end, the most of all that was said', async () => {
    const { baton } = await startAgent({
      handler: async (_task, context) => {
        context.progress(40);
        context.usage({ inputTokens: 10 });
        await until(() => baton.of('progress').length > 0);
        context.usage({ inputTokens: 7, outputTokens: 3 });
        return null;
      },
    });
    await baton.offer([assignment()]);
    await until(() => baton.of('complete').length === 1);
    expect(baton.of('progress')[0]).toMatchObject({ percent: 40, usage: { inputTokens: 10 } });
    expect(baton.of('complete')[0]?.usage).toEqual({ inputTokens: 10, outputTokens: 3, costUsd: 0 });
  });
});
