import { describe, expect, it } from '@jest/globals';
import { EVENTS, fleetEventBatch, taskEventBatch } from './events.js';
import { STREAMS } from './subjects.js';

const streams = Object.values(STREAMS);

describe('the registry of events', () => {
  it.each(Object.entries(EVENTS))('%s is in exactly the stream it names', (type, { stream }) => {
    const holders = streams.filter(({ subjects }) => (subjects as readonly string[]).includes(type));
    expect(holders.map(({ name }) => name)).toEqual([stream]);
  });

  it('has an event for every subject of a stream, and no subject is a wildcard', () => {
    const subjects = streams.flatMap((stream): readonly string[] => stream.subjects);
    expect(subjects.toSorted()).toEqual(Object.keys(EVENTS).toSorted());
    expect(subjects.filter((subject) => /[*>]/.test(subject))).toEqual([]);
  });

  it('names events noun.past', () => {
    for (const type of Object.keys(EVENTS)) expect(type).toMatch(/^(task|fleet)\.[a-z]+$/);
  });

  it('refuses an empty batch', () => {
    expect(taskEventBatch.safeParse([]).success).toBe(false);
    expect(fleetEventBatch.safeParse([]).success).toBe(false);
  });
});
