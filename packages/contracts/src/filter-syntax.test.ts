import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseFilter, parseFilterField } from './filter-syntax.js';
import { FILTER_VALUES } from './filter-values.js';
import { LIMITS } from './limits.js';
import { QueryError } from './query-error.js';
import { FILTER_FIELDS, stringifyFilter, toAny, toFilter, type FilterTerm } from './task-filter.js';
import { TASK_STATUSES } from './task.js';

const id = '0193a1c4-7f2e-7b3a-9c41-2f6d8e0b1a57';

function problemOf(query: string): QueryError {
  try {
    parseFilter(query);
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
  throw new Error(`${query} was not refused`);
}

const words = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,20}$/);
const titles = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  // A grapheme may be many characters.
  .filter((text) => text.length <= 70 && !/\0|\p{Surrogate}/u.test(text));
const times = fc.integer({ min: 0, max: Date.UTC(9999, 0) });
const ages = fc.integer({ min: 0, max: 1e9 });
const any = <T extends string | number>(values: fc.Arbitrary<T>) =>
  fc.array(values, { minLength: 1, maxLength: LIMITS.filterValues }).map(toAny);
const terms: fc.Arbitrary<FilterTerm> = fc.oneof(
  fc.record({ field: fc.constant('status' as const), any: any(fc.constantFrom(...TASK_STATUSES)) }),
  fc.record({ field: fc.constant('priority' as const), any: any(fc.constantFrom(1, 2, 3, 4, 5)) }),
  fc.record({
    field: fc.constant('type' as const),
    any: any(
      fc.oneof(
        words,
        words.map((word) => `${word}*`),
      ),
    ),
  }),
  fc.record({ field: fc.constant('agent' as const), any: any(fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)) }),
  fc.record({ field: fc.constant('creator' as const), any: any(titles.map((name) => `user:${name}`)) }),
  fc.record({ field: fc.constant('tag' as const), is: words }),
  fc.record({ field: fc.constantFrom('parent' as const, 'root' as const), is: fc.constant(id) }),
  fc.record({ field: fc.constant('text' as const), is: titles }),
  fc.record({ field: fc.constant('created' as const), from: times }),
  fc.record({ field: fc.constant('created' as const), before: times }),
  fc.record({ field: fc.constant('completed' as const), from: times }),
  fc.record({ field: fc.constant('completed' as const), before: times }),
  fc.record({ field: fc.constant('age' as const), over: ages }),
  fc.record({ field: fc.constant('age' as const), under: ages }),
);
const filters = fc.array(terms, { maxLength: 8 }).map(toFilter);

describe('the query language', () => {
  it('reads what it writes, for every filter', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        expect(parseFilter(stringifyFilter(filter))).toEqual(filter);
      }),
    );
  });

  it('means the same in whatever order and however often its terms are written', () => {
    fc.assert(
      fc.property(fc.array(terms, { maxLength: 8 }), fc.nat(7), (list, turn) => {
        const turned = [...list.slice(turn), ...list.slice(0, turn), ...list];
        expect(toFilter(turned)).toEqual(toFilter(list));
      }),
    );
  });

  it('reads or refuses any text, naming a character of it, and never fails otherwise', () => {
    const pieces = fc.oneof(
      fc.constantFrom(...FILTER_FIELDS, ':', '"', '\\', ',', '<', '>=', '*', '-', ' '),
      fc.string(),
    );
    fc.assert(
      fc.property(
        fc.array(pieces).map((parts) => parts.join('')),
        (text) => {
          try {
            parseFilter(text);
          } catch (error) {
            expect(error).toBeInstanceOf(QueryError);
            expect((error as QueryError).position).toBeGreaterThan(0);
            expect((error as QueryError).position).toBeLessThanOrEqual(text.length + 1);
          }
        },
      ),
    );
  });

  it('takes time in proportion to the length, whatever the text', () => {
    for (const piece of ['"', '\\', 'a:', 'status:', '-', ',', 'a,', '"\\"', 'é', ' ', 'tag:a,', '<']) {
      const text = piece.repeat(1_000_000);
      const before = performance.now();
      try {
        parseFilter(text);
      } catch (error) {
        expect(error).toBeInstanceOf(QueryError);
      }
      expect(performance.now() - before).toBeLessThan(2_000);
    }
  });

  it('reads every example of the docs', () => {
    const examples = FILTER_FIELDS.map((field) => FILTER_VALUES[field].example.replace('0193a1c4-…', id));
    const filter = parseFilter(examples.join(' '));
    expect(filter.map(({ field }) => field)).toEqual([...FILTER_FIELDS]);
  });

  it.each([
    [
      'status:failed type:summ* agent:writer priority:<=2 age:>10m',
      'status:failed type:summ* agent:writer priority:1,2 age:>600s',
    ],
    ['"two  words" three', 'three "two  words"'.replace('three', '"three"')],
    ['status:cancelled,failed,failed', 'status:failed,cancelled'],
    ['priority:>4', 'priority:5'],
    [
      'created:>2026-11-22 created:<=2026-11-23T01:00:00+01:00',
      'created:<2026-11-23T00:00:00.001Z created:>=2026-11-22T00:00:00.001Z',
    ],
    ['creator:"user:Ann, \\"A\\""', 'creator:"user:Ann, \\"A\\""'],
    ['tag:b tag:a', 'tag:a tag:b'],
    ['type:http://a', 'type:http://a'],
    ['   ', ''],
  ])('%s is %s', (query, normal) => {
    expect(stringifyFilter(parseFilter(query)).split(' ').toSorted()).toEqual(normal.split(' ').toSorted());
  });

  it.each([
    ['staus:failed', 1, /expected a field .*got "staus"; did you mean status\?/],
    ['type:a status:faild', 15, /status: expected a status .*got "faild"; did you mean failed\?/],
    ['http://a', 1, /or text in quotes, got "http"/],
    ['status:', 8, /expected a status, got nothing/],
    ['status:failed,', 15, /got nothing/],
    ['priority:0', 10, /expected 1 \(critical\) to 5/],
    ['priority:<1', 11, /no priority is <1/],
    ['priority:<=1,2', 14, /once/],
    ['age:10m', 5, /expected < or > and a duration .*got "10m"/],
    ['age:>10', 6, /got "10"/],
    ['created:>=2026-13-01', 11, /got "2026-13-01"/],
    ['agent:a.b', 7, /expected the id of the agent/],
    ['agent:>a', 7, /got ">a"/],
    ['creator:planner', 9, /as agent:planner/],
    ['type:*', 6, /expected a type/],
    ['tag:a,b', 7, /once; repeat the field/],
    ['tag:"a"b', 8, /expected a space or a comma/],
    ['parent:7', 8, /expected the id of a task/],
    ['-status:failed', 1, /there is no negation/],
    ['say "hello', 5, /expected a closing quote/],
    ['a\0b', 1, /expected 1 to 255 characters/],
  ])('refuses %s at character %i', (query, position, message) => {
    const problem = problemOf(query);
    expect(problem.position).toBe(position);
    expect(problem.message).toMatch(message);
  });

  it('reads a field that stands alone as in a query, and text as it is', () => {
    expect(parseFilterField('status', 'failed,queued')).toEqual(parseFilter('status:queued,failed')[0]);
    expect(parseFilterField('text', 'a "b", -c')).toEqual({ field: 'text', is: 'a "b", -c' });
    expect(() => parseFilterField('status', 'failed type:a')).toThrow(
      'at character 7: expected the end of status',
    );
  });
});
