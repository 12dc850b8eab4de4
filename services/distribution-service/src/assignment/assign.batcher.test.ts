import { describe, expect, it } from '@jest/globals';
import { createBatcher } from './assign.batcher.js';

/** A batcher whose batches end when they are told to. */
function manualBatcher(options: { maxItems: number; maxInFlight: number }) {
  const sent: (readonly number[])[] = [];
  const ends: (() => void)[] = [];
  const batcher = createBatcher<number>({
    ...options,
    send: (items) => {
      sent.push(items);
      return new Promise((resolve) => ends.push(resolve));
    },
  });
  return { batcher, sent, ends };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the batcher', () => {
  it('sends what came in one turn together', async () => {
    const { batcher, sent } = manualBatcher({ maxItems: 10, maxInFlight: 2 });
    batcher.add(1);
    batcher.add(2);
    await turn();
    expect(sent).toEqual([[1, 2]]);
  });

  it('collects while enough is under way, and splits what is too much for one batch', async () => {
    const { batcher, sent, ends } = manualBatcher({ maxItems: 2, maxInFlight: 1 });
    batcher.add(1);
    await turn();
    for (const item of [2, 3, 4]) batcher.add(item);
    await turn();
    expect(sent).toEqual([[1]]);
    ends[0]?.();
    await turn();
    expect(sent).toEqual([[1], [2, 3]]);
    ends[1]?.();
    await turn();
    expect(sent).toEqual([[1], [2, 3], [4]]);
  });

  it('is idle when all was answered', async () => {
    const { batcher, ends } = manualBatcher({ maxItems: 2, maxInFlight: 1 });
    await batcher.idle();
    batcher.add(1);
    let isIdle = false;
    const idle = batcher.idle().then(() => (isIdle = true));
    await turn();
    expect(isIdle).toBe(false);
    ends[0]?.();
    await idle;
  });
});
