import { describe, expect, it } from '@jest/globals';
import { DECISION } from '../../test/task.fixture.js';
import { AssignmentGate, Lane } from './lane.js';
import type { Submission } from './submission.js';

type Entry = { readonly submission: Submission; readonly name: string };

const about = { actor: 'user:test', traceparent: null, commandId: null, bytes: 10 } as const;
const entry = (command: Submission['command'], name: string, more: Partial<Submission> = {}): Entry => ({
  name,
  submission: { ...about, command, ...more },
});
const assign = (name: string) =>
  entry({ kind: 'assign', taskId: 'x', agentId: 'a', decision: DECISION }, name);
const cancel = (name: string, more: Partial<Submission> = {}) =>
  entry({ kind: 'cancel', taskId: 'x', reason: 'test' }, name, more);

/** A lane whose batches are kept, each written in a turn of the event loop. */
function laneOf(gate: AssignmentGate, onFlush: (batch: readonly Entry[]) => void = () => undefined) {
  const batches: (readonly Entry[])[] = [];
  const lane = new Lane<Entry>(async (batch) => {
    batches.push(batch);
    onFlush(batch);
    await new Promise(setImmediate);
  }, gate);
  return { lane, batches };
}

const kinds = (batch: readonly Entry[]) => new Set(batch.map(({ submission }) => submission.command.kind));

describe('a lane', () => {
  it('writes what came in one turn together, at most 500 commands and 512 KiB in a batch', async () => {
    const { lane, batches } = laneOf(new AssignmentGate());
    for (let index = 0; index < 501; index++) lane.add(cancel(`${index}`));
    await lane.drain();
    expect(batches.map(({ length }) => length)).toEqual([500, 1]);
    for (let index = 0; index < 3; index++) lane.add(cancel(`${index}`, { bytes: 400 * 1024 }));
    await lane.drain();
    expect(batches.slice(2).map(({ length }) => length)).toEqual([1, 1, 1]);
  });

  it('gives assignments their share of a flood', async () => {
    const { lane, batches } = laneOf(new AssignmentGate());
    for (let index = 0; index < 2_000; index++) lane.add(cancel(`${index}`));
    lane.add(assign('assignment'));
    await lane.drain();
    expect(batches[0]?.map(({ name }) => name)).toContain('assignment');
  });

  it('lets one lane assign at a time, each in its turn, and holds up nothing else', async () => {
    const gate = new AssignmentGate();
    let assigning = 0;
    const refill = { left: 200 };
    const first = laneOf(gate, (batch) => {
      if (!kinds(batch).has('assign')) return;
      expect((assigning += 1)).toBe(1);
      setImmediate(() => (assigning -= 1));
      // A lane that never runs out of assignments.
      if (refill.left-- > 0) first.lane.add(assign('more'));
    });
    const second = laneOf(gate);
    first.lane.add(assign('first'));
    await new Promise(setImmediate);
    second.lane.add(assign('second'));
    second.lane.add(cancel('other'));
    await second.lane.drain();
    expect(refill.left).toBeGreaterThan(150);
    expect(second.batches.flat().map(({ name }) => name)).toEqual(
      expect.arrayContaining(['second', 'other']),
    );
    await first.lane.drain();
  });
});
