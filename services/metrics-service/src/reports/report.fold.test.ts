import { describe, expect, it } from '@jest/globals';
import { states } from '../../test/history.js';
import { foldReport, type Figures, type Group } from './report.fold.js';

const none = { p50: null, p90: null, p99: null };
const figures = (some: Partial<Figures>): Figures => ({
  present: [],
  ended: [],
  percentiles: { duration: none, run: none, wait: none, endToEnd: none },
  percentilesOf: 0,
  oldestQueuedSeconds: null,
  windowSeconds: 3_600,
  asOf: '2026-11-22T12:00:00.000Z',
  ...some,
});
const group = (status: string, agent: string, tasks: number, seconds = 0): Group => ({
  status,
  agent,
  tasks,
  retries: tasks,
  losses: 0,
  durationUs: seconds * 1e6,
  runUs: seconds * 0.5e6,
  waitUs: seconds * 2e6,
  endToEndUs: seconds * 3e6,
});

describe('foldReport', () => {
  it('divides by nothing when nothing ended', () => {
    const report = foldReport({ window: '1h' }, figures({ windowSeconds: 0 }));
    expect(report).toMatchObject({
      states: states({}),
      ended: { completed: 0, failed: 0, cancelled: 0 },
      completionRate: null,
      failureRate: null,
      throughputPerHour: null,
      duration: { mean: null },
      agents: [],
    });
  });

  it('applies the formulas of the domain', () => {
    const report = foldReport(
      { window: '5m', agent: 'a' },
      figures({
        windowSeconds: 300,
        oldestQueuedSeconds: 12,
        present: [group('queued', '', 7), group('assigned', 'a', 1), group('in_progress', 'a', 2)],
        ended: [group('completed', 'a', 6, 12), group('failed', 'a', 1), group('cancelled', '', 1)],
      }),
    );
    expect(report).toMatchObject({
      filters: { agent: 'a', type: null, priority: null },
      states: states({ queued: 7, assigned: 1, in_progress: 2 }),
      backlog: { queued: 7, oldestSeconds: 12 },
      ended: { completed: 6, failed: 1, cancelled: 1 },
      completionRate: 0.75,
      failureRate: 0.125,
      duration: { mean: 2 },
      run: { mean: 1 },
      wait: { mean: 4 },
      endToEnd: { mean: 6 },
      throughputPerHour: 72,
      recovery: { retries: 8, losses: 0 },
    });
    expect(report.agents).toEqual([
      {
        agentId: 'a',
        completed: 6,
        failed: 1,
        cancelled: 0,
        held: 3,
        meanDuration: 2,
        throughputPerHour: 72,
      },
    ]);
  });

  it('lists the busiest agents first, none without tasks, and says how many there are', () => {
    const ended = Array.from({ length: 1_200 }, (_, index) =>
      group('completed', `agent-${index}`, index % 100 === 0 ? 0 : index),
    );
    const report = foldReport(
      { window: 'all' },
      figures({ ended, present: [group('assigned', 'holder', 5_000)] }),
    );
    expect(report.agents.slice(0, 3).map((agent) => agent.agentId)).toEqual([
      'holder',
      'agent-1199',
      'agent-1198',
    ]);
    expect(report.agents).toHaveLength(1_000);
    expect(report.agentsTotal).toBe(1_189);
  });
});
