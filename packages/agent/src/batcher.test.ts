import { describe, expect, it, jest } from '@jest/globals';
import { createBatcher, type Batcher } from './batcher.js';

type Message = {
  readonly items: readonly number[];
  answer(): void;
  answerWith(answers: readonly string[]): void;
  lose(): void;
};

/** A sender whose answers the test gives by hand. */
function createWire(limits: { maxItems?: number; maxBytes?: number; maxFlushes?: number } = {}) {
  const messages: Message[] = [];
  const batcher: Batcher<string> = createBatcher<string>({
    maxItems: 500,
    maxBytes: 1_000,
    maxFlushes: 1,
    ...limits,
    send: (payload) =>
      new Promise((resolve, reject) => {
        const { items } = JSON.parse(payload) as { items: number[] };
        messages.push({
          items,
          answer: () => resolve(items.map((item) => `ok ${item}`)),
          answerWith: resolve,
          lose: () => reject(new Error('lost')),
        });
      }),
    retryAfterMs: (answer, tries) => (answer === 'busy' ? tries : undefined),
    tooLarge: (bytes) => `too large: ${bytes}`,
  });
  const message = async (index: number): Promise<Message> => {
    for (let turns = 0; turns < 1_000; turns += 1) {
      const found = messages[index];
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    throw new Error(`message ${index} was not sent`);
  };
  return { batcher, messages, message };
}

describe('the batcher', () => {
  it('sends at once what comes in one turn, and gathers while a message is in flight', async () => {
    const { batcher, messages, message } = createWire();
    const first = [batcher.add('1'), batcher.add('2')];
    const one = await message(0);
    expect(one.items).toEqual([1, 2]);
    const second = [batcher.add('3'), batcher.add('4'), batcher.add('5')];
    await new Promise((resolve) => setImmediate(resolve));
    expect(messages).toHaveLength(1);
    one.answer();
    expect(await Promise.all(first)).toEqual(['ok 1', 'ok 2']);
    (await message(1)).answer();
    expect(await Promise.all(second)).toEqual(['ok 3', 'ok 4', 'ok 5']);
  });

  it('splits by number of items and by bytes', async () => {
    const { batcher, message } = createWire({ maxItems: 2, maxFlushes: 5 });
    for (const item of ['1', '2', '3']) void batcher.add(item);
    expect((await message(0)).items).toEqual([1, 2]);
    expect((await message(1)).items).toEqual([3]);

    // {"items":[11,22]} is 17 bytes.
    const narrow = createWire({ maxBytes: 17, maxFlushes: 5 });
    for (const item of ['11', '22', '33']) void narrow.batcher.add(item);
    expect((await narrow.message(0)).items).toEqual([11, 22]);
    expect((await narrow.message(1)).items).toEqual([33]);
  });

  it('refuses an item that fits no message', async () => {
    const { batcher, messages } = createWire({ maxBytes: 17 });
    expect(await batcher.add('123456')).toBe('too large: 6');
    expect(messages).toHaveLength(0);
  });

  it('sends a lost message again, in order, before what came later', async () => {
    const { batcher, message } = createWire();
    const answers = [batcher.add('1'), batcher.add('2')];
    const lost = await message(0);
    answers.push(batcher.add('3'));
    lost.lose();
    const again = await message(1);
    expect(again.items).toEqual([1, 2, 3]);
    again.answer();
    expect(await Promise.all(answers)).toEqual(['ok 1', 'ok 2', 'ok 3']);
  });

  it('sends only the items again whose answer was not final', async () => {
    const { batcher, message } = createWire();
    const answers = [batcher.add('1'), batcher.add('2')];
    (await message(0)).answerWith(['ok 1', 'busy']);
    const again = await message(1);
    expect(again.items).toEqual([2]);
    again.answer();
    expect(await Promise.all(answers)).toEqual(['ok 1', 'ok 2']);
  });

  it('ends a pause when woken', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    try {
      const { batcher, messages } = createWire();
      void batcher.add('1');
      await new Promise((resolve) => setImmediate(resolve));
      messages[0]?.lose();
      await new Promise((resolve) => setImmediate(resolve));
      expect(messages).toHaveLength(1);
      batcher.wake();
      await new Promise((resolve) => setImmediate(resolve));
      expect(messages).toHaveLength(2);
    } finally {
      jest.useRealTimers();
    }
  });

  it('answers everything when stopped, and what comes later', async () => {
    const { batcher, message } = createWire();
    const inFlight = batcher.add('1');
    const sent = await message(0);
    const waiting = batcher.add('2');
    batcher.stop('stopped');
    sent.answer();
    expect(await Promise.all([inFlight, waiting, batcher.add('3')])).toEqual([
      'stopped',
      'stopped',
      'stopped',
    ]);
  });
});
