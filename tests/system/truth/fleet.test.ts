import { describe, expect, it } from '@jest/globals';
import { checkCapacity, checkExpiries, checkRuns } from './fleet.js';
import type { Hold } from './history.js';

describe('the capacity of an agent', () => {
  const room = new Map([['ada', 2]]);
  const held = (from: number, to?: number): Hold => ({
    agentId: 'ada',
    from,
    ...(to === undefined ? {} : { to }),
  });

  it('is kept when a task begins at the moment another ends', () => {
    expect(checkCapacity([held(1, 5), held(2, 9), held(5, 9), held(9)], room)).toEqual([]);
  });

  it('is exceeded by one task too many, however short, and told once for each agent', () => {
    const problems = checkCapacity([held(1, 5), held(2, 9), held(4, 6), held(5)], room);
    expect(problems).toEqual(['agent ada held 3 tasks at 1970-01-01T00:00:00.004Z, has room for 2']);
  });

  it('is none for an agent nobody knows', () => {
    expect(checkCapacity([{ agentId: 'ghost', from: 1, to: 2 }], room)).toHaveLength(1);
  });
});

describe('an expiry', () => {
  const hosts = [{ ids: ['ada'], lives: [{ from: 1_000, to: 20_000 }, { from: 30_000 }] }];

  it.each([
    ['after the agent was killed', 26_000],
    ['just after it began to live', 31_000],
  ])('%s is right', (_when, at) => {
    expect(checkExpiries([{ agentId: 'ada', at }], hosts)).toEqual([]);
  });

  it.each([
    ['ada', 'while it lived', 15_000],
    ['ada', 'while it lives again', 40_000],
    ['bob', 'of whom nobody knows that it was away', 26_000],
  ])('of %s %s is wrong', (agentId, _when, at) => {
    expect(checkExpiries([{ agentId, at }], hosts)[0]).toContain(`agent ${agentId} was expired`);
  });
});

describe('what handlers did', () => {
  const hosts = [{ ids: ['ada'], lives: [] }];
  const run = {
    agentId: 'ada',
    taskId: 't',
    attempt: 2,
    startedAt: 1,
    endedAt: 2,
    outcome: 'completed',
  } as const;
  const { endedAt: _endedAt, outcome: _outcome, ...unfinished } = run;
  const completion = { taskId: 't', agentId: 'ada', attempt: 2 };

  it('agrees with what was accepted; agents nobody watched are believed', () => {
    const runs = [{ ...unfinished, attempt: 1 }, run];
    expect(checkRuns(runs, [completion, { ...completion, taskId: 'u', agentId: 'bob' }], hosts)).toEqual([]);
  });

  it.each([
    ['an attempt that ran twice', [run, run], 'attempt 2 of task t ran twice'],
    ['a completion nobody ran', [], 'whose handler did not complete it'],
    ['a completion of another attempt', [{ ...run, attempt: 1 }], 'whose handler did not complete it'],
    ['a completion of another agent', [{ ...run, agentId: 'bob' }], 'whose handler did not complete it'],
    ['a completion of a run that never ended', [unfinished], 'whose handler did not complete it'],
  ])('gives away %s', (_what, runs, problem) => {
    expect(checkRuns(runs, [completion], hosts).join('\n')).toContain(problem);
  });
});
