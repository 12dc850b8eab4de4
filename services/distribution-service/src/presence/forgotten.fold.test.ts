import { describe, expect, it } from '@jest/globals';
import type { SnapshotAnswer } from '@baton/contracts';
import { agentIn, fleetEntry, fleetOf, snapshotAgent, taskId } from '../../test/factories.js';
import { applyExpiry } from '../fleet/fleet.fold.js';
import { hold, release } from '../fleet/slots.fold.js';
import { createForgotten, learnRunning, noteBeat, noteForgottenSweep } from './forgotten.fold.js';
import { takeAgentsToAsk, takeForgotten } from './forgotten.fold.js';

type Held = SnapshotAnswer['agents'][number]['held'];

/** One agent that beats every 2 s and holds the task, seen by one distributor whose clock the test moves. */
function scene() {
  const fleet = fleetOf(fleetEntry('a'));
  const task = taskId();
  hold(fleet, { agentId: 'a', taskId: task, version: 2 });
  const forgotten = createForgotten(0);
  return {
    fleet,
    task,
    forgotten,
    beat: (at: number, running: unknown = []) => noteBeat(forgotten, agentIn(fleet, 'a'), running, at),
    sweep: (at: number) => {
      noteForgottenSweep(forgotten, fleet, at);
      return { asked: takeAgentsToAsk(forgotten, 500, at), taken: takeForgotten(forgotten, fleet, at) };
    },
    /** A snapshot: the task is in progress since `start`, or merely assigned. */
    tell: (at: number, start?: number) => {
      const running = start === undefined ? {} : { runningMs: at - start };
      const held: Held = [{ taskId: task, attempt: 1, version: 3, ...running }];
      learnRunning(forgotten, snapshotAgent('a', { held }), at);
    },
  };
}

/** Sweeps as often as the service does, so that it does not seem to have stalled. */
function sweepUpTo(from: number, to: number, sweep: (at: number) => unknown): void {
  for (let at = from; at < to; at += 500) sweep(at);
}

describe('a task its agent forgot', () => {
  it('is asked about after two beats without it and reported once a snapshot says that it is in progress', () => {
    const { beat, sweep, tell, task, forgotten, fleet } = scene();
    beat(10_000);
    forgotten.sweptAt = 10_000;
    expect(sweep(10_500)).toEqual({ asked: [], taken: [] });
    beat(12_000);
    expect(sweep(12_500)).toEqual({ asked: ['a'], taken: [] });
    tell(12_600, 1_000);
    const report = { agentId: 'a', epoch: 1, taskId: task, attempt: 1, version: 3 };
    expect(takeForgotten(forgotten, fleet, 12_600)).toEqual([report]);
    expect(takeForgotten(forgotten, fleet, 12_600)).toEqual([]);
  });

  it('is found without another snapshot when it has not been in progress for three beats yet', () => {
    const { beat, sweep, tell } = scene();
    beat(1_000);
    beat(3_000);
    expect(sweep(3_000).asked).toEqual(['a']);
    tell(3_000, 500);
    for (const at of [5_000, 7_000]) {
      sweepUpTo(at - 1_500, at, sweep);
      beat(at);
    }
    expect(sweep(6_499)).toEqual({ asked: [], taken: [] });
    expect(sweep(6_501).taken).toHaveLength(1);
  });
});

describe('a task that is left alone', () => {
  it('is one the agent lists', () => {
    const { beat, sweep, task, forgotten } = scene();
    for (let at = 0; at < 20_000; at += 2_000) {
      beat(at, [{ taskId: task, attempt: 1 }]);
      expect(sweep(at)).toEqual({ asked: [], taken: [] });
    }
    expect(forgotten.agents.size).toBe(0);
  });

  it('is one that waits in the agent’s queue, which costs a snapshot every ten seconds', () => {
    const { beat, sweep, tell } = scene();
    let asked = 0;
    for (let at = 0; at < 40_000; at += 500) {
      if (at % 2_000 === 0) beat(at);
      const { asked: now, taken } = sweep(at);
      asked += now.length;
      if (now.length > 0) tell(at);
      expect(taken).toEqual([]);
    }
    expect(asked).toBe(4);
  });

  it('is one that was left out before it began, until two beats after that left it out too', () => {
    const { beat, sweep, tell, task } = scene();
    for (const at of [0, 2_000]) beat(at);
    expect(sweep(2_500).asked).toEqual(['a']);
    tell(2_600, 2_550);
    // No beat arrives: what the two before the start left out says nothing about it.
    for (let at = 3_000; at < 12_000; at += 500) expect(sweep(at).taken).toEqual([]);
    beat(12_000, [{ taskId: task, attempt: 1 }]);
    for (let at = 12_000; at < 16_000; at += 500) expect(sweep(at).taken).toEqual([]);
  });

  it('is one that is held no more, of an agent that is gone, or heard of by a process that stood still', () => {
    for (const happens of [
      ({ fleet, task, beat }: ReturnType<typeof scene>) => {
        release(fleet, { agentId: 'a', taskId: task, version: 4 });
        beat(12_500);
      },
      ({ fleet }: ReturnType<typeof scene>) => applyExpiry(fleet, 'a', 1),
      ({ forgotten }: ReturnType<typeof scene>) => void (forgotten.sweptAt = 0),
    ]) {
      const all = scene();
      all.forgotten.sweptAt = 12_000;
      for (const at of [8_000, 10_000, 12_000]) all.beat(at);
      all.tell(12_000, 0);
      happens(all);
      expect(all.sweep(12_600)).toEqual({ asked: [], taken: [] });
    }
  });

  it('is any, when a beat does not say what is running', () => {
    const { beat, sweep } = scene();
    for (const running of [undefined, null, 'all', {}]) beat(1_000, running);
    expect(sweep(1_500).asked).toEqual([]);
    for (const running of [[null], ['x'], [{ taskId: 7 }]]) beat(2_000, running);
    expect(sweep(2_500).asked).toEqual(['a']);
  });
});
