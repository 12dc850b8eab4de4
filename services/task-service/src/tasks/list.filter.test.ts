import { describe, expect, it } from '@jest/globals';
import { parseFilter, TASK_STATUSES, type TaskSort } from '@baton/contracts';
import { planList } from './list.filter.js';

const now = Date.UTC(2026, 10, 22);
const id = '0193a1c4-7f2e-7b3a-9c41-2f6d8e0b1a57';
const plans = (q: string, sort: TaskSort = '-createdAt', relatedTo?: string) =>
  planList({ filter: parseFilter(q), sort, now, ...(relatedTo === undefined ? {} : { relatedTo }) });
const only = (q: string, sort?: TaskSort, relatedTo?: string) => {
  const found = plans(q, sort, relatedTo);
  expect(found).toHaveLength(1);
  return found[0];
};

describe('planList', () => {
  it.each<[string, string, number, readonly string[]]>([
    ['', 'all', 1, []],
    ['age:>10m', 'all', 1, []],
    ['age:<10m needle', 'all', 1, ['text']],
    ['status:failed', 'status', 5, []],
    ['status:failed priority:1,2', 'status', 2, []],
    ['priority:1', 'status', 8, []],
    ['type:a,b status:failed', 'type', 2, []],
    ['type:a', 'type', 8, []],
    ['type:a status:queued', 'type', 1, []],
    ['type:a* creator:user:b', 'creator', 8, ['type']],
    ['creator:user:b status:completed,queued priority:1', 'creator', 2, ['priority']],
    ['tag:a tag:b status:failed', 'tag', 1, ['status', 'tag']],
    [`root:${id} status:failed type:a`, 'root', 2, ['status', 'type']],
    [`parent:${id} root:${id}`, 'parent', 1, ['root']],
  ])('reads %j along %s, in %i ranges, and checks %j', (q, list, ranges, checks) => {
    const plan = plans(q).find((candidate) => candidate.list === list);
    expect(plan?.ranges).toHaveLength(ranges);
    expect(plan?.checks.map(({ field }) => field)).toEqual(checks);
  });

  it('offers every list that narrows, so that the shortest can be taken, and checks the rest', () => {
    const found = plans('status:failed type:a agent:b creator:agent:c priority:1');
    expect(found.map(({ list, checks }) => [list, checks.map(({ field }) => field)])).toEqual([
      ['agent', ['type', 'creator', 'priority']],
      ['creator', ['type', 'agent', 'priority']],
      ['type', ['agent', 'creator', 'priority']],
      ['status', ['type', 'agent', 'creator']],
    ]);
  });

  it('bounds ids by creation and age', () => {
    const plan = only('age:<1d created:<2026-11-21T12:00:00Z');
    const at = (bound = '') => Number.parseInt(bound.replaceAll('-', '').slice(0, 12), 16);
    expect(at(plan?.from)).toBe(now - 86_400_000 + 1);
    expect(at(plan?.before)).toBe(Date.UTC(2026, 10, 21, 12));
  });

  it('reads adjacent priorities as a range, and checks what lies between others', () => {
    expect(only('priority:2,3', 'priority')).toMatchObject({ priorities: [2, 3], checks: [] });
    expect(only('priority:1,4', '-priority')).toMatchObject({
      priorities: [1, 4],
      checks: [{ field: 'priority', any: [1, 4] }],
      order: { by: 'priority', descending: true },
    });
    expect(only('', 'priority')?.ranges).toHaveLength(TASK_STATUSES.length);
  });

  it.each([
    'status:failed status:queued',
    'type:a type:b',
    'agent:a agent:b',
    'priority:1 priority:2',
    `root:${id} root:${id.replace('0', '1')}`,
  ])('finds nothing to read for %s', (q) => {
    expect(plans(q)).toEqual([]);
    expect(plans(q, 'priority')).toEqual([]);
  });

  it('reads for an agent what it created or had last, or checks it below a task', () => {
    expect(only('status:failed', 'createdAt', 'a')).toMatchObject({
      list: 'related',
      ranges: [
        { creator: 'agent:a', status: 'failed' },
        { agent: 'a', status: 'failed' },
      ],
      checks: [],
    });
    expect(only(`root:${id}`, 'createdAt', 'a')).toMatchObject({ list: 'root', relatedTo: 'a' });
    expect(only('status:failed', 'priority', 'a')).toMatchObject({ list: 'status', relatedTo: 'a' });
    expect(() => plans('', 'priority', 'a')).toThrow('no index serves');
  });

  it.each<[string, TaskSort]>([
    ['needle', '-createdAt'],
    ['type:a*', 'createdAt'],
    ['completed:<2026-01-01', '-createdAt'],
    ['needle created:<2026-01-01', '-createdAt'],
    ['type:a', 'priority'],
    ['age:<1d', '-priority'],
  ])('refuses %s in the order %s, with what is supported', (q, sort) => {
    expect(() => plans(q, sort)).toThrow(
      expect.objectContaining({
        code: 'QUERY_NOT_SUPPORTED',
        details: expect.objectContaining({ supported: expect.any(Array) }),
      }),
    );
  });
});
