import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createFeed, type Feed } from './feed.fold.js';

/** Reads to the end in pages of so many. */
function readAll<T>(feed: Feed<T>, from: number, most: number): readonly T[] | undefined {
  const read: T[] = [];
  for (let position = from; ;) {
    const page = feed.after(position, most);
    if (page === undefined) return undefined;
    read.push(...page.changes);
    if (page.end >= feed.end) return read;
    position = page.end;
  }
}

describe('the feed', () => {
  it('tells every reader the latest of each thing that changed behind its position, in order', () => {
    const anyChanges = fc.array(fc.record({ key: fc.nat(8), step: fc.nat(1) }), { maxLength: 60 });
    const property = fc.property(
      anyChanges,
      fc.nat(60),
      fc.integer({ min: 1, max: 5 }),
      (all, from, most) => {
        const feed = createFeed<number>(9);
        let position = 1;
        const added = all.map(({ key, step }) => ({ key, position: (position += step) }));
        added.forEach((change, index) => feed.add(change.position, String(change.key), index));
        const isLatest = ({ key }: { key: number }, index: number) =>
          added.findLastIndex((later) => later.key === key) === index;
        const expected = added.flatMap((change, index) =>
          change.position > from && isLatest(change, index) ? [index] : [],
        );
        expect(readAll(feed, from, most)).toEqual(expected);
      },
    );
    fc.assert(property);
  });

  it('knows of a reader that is too far behind, and keeps no more than twice what it should', () => {
    const feed = createFeed<number>(10);
    for (let position = 1; position <= 1_000; position += 1) feed.add(position, String(position), position);
    expect(feed.after(979, 100)).toBeUndefined();
    expect(readAll(feed, 990, 3)).toEqual([991, 992, 993, 994, 995, 996, 997, 998, 999, 1_000]);
  });

  it('waits for what a reader that comes from elsewhere knows already', () => {
    const feed = createFeed<string>(10);
    feed.restart(50);
    expect(feed.after(49, 1)).toBeUndefined();
    expect(feed.after(52, 1)).toEqual({ changes: [], end: 52 });
    for (const position of [51, 52, 53]) feed.add(position, 'one', `at ${position}`);
    expect(feed.after(52, 1)).toEqual({ changes: ['at 53'], end: 53 });
  });
});
