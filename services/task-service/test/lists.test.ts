import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseFilter, type FilterTerm, type TaskFilter, type TaskSort } from '@baton/contracts';
import { createTestDatabase } from '@baton/testkit';
import fc from 'fast-check';
import { createPool, type Pool } from '../src/database/database.js';
import { Cursors } from '../src/tasks/cursor.js';
import { ListService } from '../src/tasks/list.service.js';
import { migrateEmpty } from './fixture.js';
import { fillTasks, FIRST_MS, readListed, STEP_MS, type Listed } from './listed-tasks.js';

const COUNT = 12_000;
const LAST_MS = FIRST_MS + COUNT * STEP_MS;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let pool: Pool;
let lists: ListService;
let all: readonly Listed[];
beforeAll(async () => {
  database = await createTestDatabase({ schema: 'task_service', migrate: migrateEmpty });
  pool = createPool({ url: database.url, size: 2, planBy: 'rows', onError: () => undefined });
  await fillTasks(pool, COUNT);
  lists = new ListService(pool, new Cursors('key', 'tasks'), () => LAST_MS);
  all = await readListed(pool);
});
afterAll(async () => {
  await pool.end();
  await database.close();
});

/** What a filter means, said without SQL, index or order. */
function matches(task: Listed, filter: TaskFilter): boolean {
  const createdMs = Number.parseInt(task.id.replaceAll('-', '').slice(0, 12), 16);
  const holds = (term: FilterTerm): boolean => {
    switch (term.field) {
      case 'status':
        return (term.any as readonly string[]).includes(task.status);
      case 'priority':
        return (term.any as readonly number[]).includes(task.priority);
      case 'type':
        return term.any.some((type) =>
          type.endsWith('*') ? task.type.startsWith(type.slice(0, -1)) : task.type === type,
        );
      case 'agent':
        return task.last_agent_id !== null && term.any.includes(task.last_agent_id);
      case 'creator':
        return term.any.includes(task.created_by);
      case 'tag':
        return task.tags.includes(term.is);
      case 'parent':
        return task.parent_task_id === term.is;
      case 'root':
        return task.root_task_id === term.is;
      case 'text':
        return task.title.toLowerCase().includes(term.is.toLowerCase());
      case 'created':
        return 'from' in term ? createdMs >= term.from : createdMs < term.before;
      case 'completed':
        if (task.completed_at === null) return false;
        return 'from' in term ? task.completed_at >= term.from : task.completed_at < term.before;
      case 'age':
        return 'over' in term
          ? createdMs < LAST_MS - term.over * 1_000
          : createdMs > LAST_MS - term.under * 1_000;
    }
  };
  return filter.every(holds);
}

function inOrder(tasks: readonly Listed[], sort: TaskSort): readonly string[] {
  const sign = sort.startsWith('-') ? -1 : 1;
  const byId = (a: Listed, b: Listed) => (a.id < b.id ? -1 : 1) * sign;
  const byPriority = (a: Listed, b: Listed) => (a.priority - b.priority) * sign || byId(a, b);
  return tasks.toSorted(sort.endsWith('priority') ? byPriority : byId).map(({ id }) => id);
}

/** The ids of a list, page by page, and how many pages it took; the long ones are not walked to their end. */
async function walk(q: string, sort: TaskSort, limit: number, relatedTo?: string) {
  const ids: string[] = [];
  let cursor: string | null = null;
  let pages = 0;
  do {
    const scope = relatedTo === undefined ? {} : { relatedTo };
    const { data, page } = await lists.page(
      { q, sort, limit, ...(cursor === null ? {} : { cursor }) },
      scope,
    );
    ids.push(...data.map(({ id }) => id));
    cursor = page.next;
    pages += 1;
  } while (cursor !== null && pages < 8);
  return { ids, pages, isWhole: cursor === null };
}

type Walked = { readonly ids: readonly string[]; readonly isWhole: boolean };

/** What a walk should have seen: all of the tasks, or the first of them when it was not to the end. */
function seen({ ids, isWhole }: Walked, tasks: readonly Listed[], sort: TaskSort): readonly string[] {
  return isWhole ? inOrder(tasks, sort) : inOrder(tasks, sort).slice(0, ids.length);
}

const parent = () => all.find(({ parent_task_id: id }) => id !== null)?.parent_task_id ?? '';
const time = (share: number) => new Date(FIRST_MS + Math.round(share * COUNT) * STEP_MS).toISOString();
const terms = fc.oneof(
  fc
    .subarray(
      ['created', 'queued', 'assigned', 'in_progress', 'blocked', 'completed', 'failed', 'cancelled'],
      { minLength: 1 },
    )
    .map((list) => `status:${list.join(',')}`),
  fc.subarray([1, 2, 3, 4, 5], { minLength: 1 }).map((list) => `priority:${list.join(',')}`),
  fc
    .subarray(['task', 'summary', 'summ_x', 'audit:web', 'nothing'], { minLength: 1 })
    .map((list) => `type:${list.join(',')}`),
  fc.constantFrom('type:summ*', 'type:summ_*', 'type:audit:*,task'),
  fc.subarray(['agent-0', 'agent-1', 'agent-9'], { minLength: 1 }).map((list) => `agent:${list.join(',')}`),
  fc.constantFrom(
    'creator:agent:planner',
    'creator:user:local',
    'creator:agent:planner,user:local',
    'tag:red',
    'tag:blue',
  ),
  fc.constantFrom('needle', '"100%_x"', '"TASK 12"', '"%"', 'root', 'parent').map((word) => {
    return word === 'root' || word === 'parent' ? `${word}:${parent()}` : word;
  }),
  fc
    .tuple(
      fc.constantFrom('created', 'completed'),
      fc.constantFrom('<', '<=', '>', '>='),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    .map(([field, operator, share]) => `${field}:${operator}${time(share)}`),
  fc
    .tuple(fc.constantFrom('<', '>'), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([operator, share]) => `age:${operator}${Math.round((1 - share) * COUNT)}s`),
);
const sorts = fc.constantFrom<TaskSort[]>('-createdAt', 'createdAt', 'priority', '-priority');

describe('lists', () => {
  it('hold exactly the tasks of the filter, in order, page by page, or say that no index serves them', async () => {
    let refused = 0;
    let filled = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(terms, { maxLength: 4 }),
        sorts,
        fc.integer({ min: 120, max: 200 }),
        async (list, sort, limit) => {
          const q = list.join(' ');
          try {
            const walked = await walk(q, sort, limit);
            const expected = all.filter((task) => matches(task, parseFilter(q)));
            expect(walked.ids).toEqual(seen(walked, expected, sort));
            if (walked.ids.length > 0) filled += 1;
          } catch (error) {
            expect(error).toMatchObject({ code: 'QUERY_NOT_SUPPORTED' });
            refused += 1;
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(filled).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(0);
  }, 120_000);

  it('are searched a bounded number of rows at a time: a page may be empty and the list go on', async () => {
    const q = `status:completed "needle" completed:<${time(0.1)}`;
    const { ids, pages } = await walk(q, '-createdAt', 50);
    expect(ids).toEqual(
      inOrder(
        all.filter((task) => matches(task, parseFilter(q))),
        '-createdAt',
      ),
    );
    expect(ids.length).toBeGreaterThan(0);
    expect(pages).toBe(2);
    const { data, page } = await lists.page({ q, sort: '-createdAt', limit: 50 });
    expect(data).toEqual([]);
    expect(page.hasMore).toBe(true);
  });

  it('of an agent hold what it created or had last, each once', async () => {
    await pool.query(`UPDATE tasks SET created_by = 'agent:agent-1' WHERE created_by = 'agent:planner'`);
    const isRelated = (task: Listed) =>
      task.last_agent_id === 'agent-1' || task.created_by === 'agent:planner';
    for (const q of [
      '',
      'status:failed,queued',
      'priority:1 type:summ*',
      `root:${parent()}`,
      `parent:${parent()}`,
    ]) {
      const expected = all.filter((task) => isRelated(task) && matches(task, parseFilter(q)));
      const walked = await walk(q, 'createdAt', 200, 'agent-1');
      expect(walked.ids).toEqual(seen(walked, expected, 'createdAt'));
    }
    await pool.query(`UPDATE tasks SET created_by = 'agent:planner' WHERE created_by = 'agent:agent-1'`);
  });

  it('stay whole while tasks are added in front of the cursor', async () => {
    const first = await lists.page({ q: 'type:task', sort: '-createdAt', limit: 100 });
    await pool.query(
      `CREATE TEMP TABLE added AS SELECT * FROM tasks WHERE type = 'task' ORDER BY id LIMIT 1`,
    );
    await pool.query(`UPDATE added SET id = $1, root_task_id = $1`, [idAt(LAST_MS)]);
    await pool.query('INSERT INTO tasks SELECT * FROM added');
    const cursor = first.page.next ?? '';
    const second = await lists.page({ q: 'type:task', sort: '-createdAt', limit: 100, cursor });
    const expected = inOrder(
      all.filter(({ type }) => type === 'task'),
      '-createdAt',
    );
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(expected.slice(0, 200));
    await pool.query('DELETE FROM tasks WHERE id = $1', [idAt(LAST_MS)]);
    await pool.query('DROP TABLE added');
  });

  it('are counted exactly as far as can be counted at once, and estimated beyond', async () => {
    for (const q of [
      'status:failed',
      'type:task priority:1',
      'agent:agent-1 needle',
      'status:queued status:failed',
      'tag:blue',
    ]) {
      const count = all.filter((task) => matches(task, parseFilter(q))).length;
      expect(await lists.count({ q })).toEqual({ count, approximate: false });
    }
    await pool.query('VACUUM ANALYZE tasks');
    const everything = await lists.count({ q: '' });
    expect(everything.approximate).toBe(true);
    expect(Math.abs(everything.count - COUNT)).toBeLessThan(COUNT / 20);
    const few = await lists.count({ q: 'needle created:>=2020-01-01' });
    const needles = all.filter(({ title }) => title.includes('needle')).length;
    expect(few.approximate).toBe(true);
    expect(Math.abs(few.count - needles)).toBeLessThan(Math.max(10, needles / 2));
  });

  it('end a page before it takes more bytes than asked for, and go on behind it', async () => {
    const { data, page } = await lists.page({ q: '', sort: '-createdAt', limit: 200 }, { maxBytes: 10_000 });
    expect(JSON.stringify(data).length).toBeLessThanOrEqual(10_000);
    expect(data.length).toBeGreaterThan(3);
    const { data: rest } = await lists.page({ q: '', sort: '-createdAt', limit: 1, cursor: page.next ?? '' });
    expect(rest[0]?.id).toBe(inOrder(all, '-createdAt')[data.length]);
    const one = await lists.page({ q: '', sort: '-createdAt', limit: 200 }, { maxBytes: 1 });
    expect(one.data).toHaveLength(1);
  });

  it('of a tag follow every way a task comes, changes and goes', async () => {
    const [first] = inOrder(all, 'createdAt');
    const tagged = async (tag: string) => (await walk(`tag:${tag}`, 'createdAt', 50)).ids;
    await pool.query(`UPDATE tasks SET tags = '["rare","rare","other"]' WHERE id = $1`, [first]);
    expect(await tagged('rare')).toEqual([first]);
    await pool.query(`UPDATE tasks SET tags = '["other"]' WHERE id = $1`, [first]);
    expect(await tagged('rare')).toEqual([]);
    expect(await tagged('other')).toEqual([first]);
    await pool
      .query(
        `WITH gone AS (DELETE FROM tasks WHERE id = $1 RETURNING *) INSERT INTO tasks SELECT * FROM gone`,
        [first],
      )
      .catch(() => undefined);
    await pool.query(`UPDATE tasks SET tags = $2 WHERE id = $1`, [first, JSON.stringify(all[0]?.tags)]);
    expect((await pool.query(`SELECT count(*)::int AS n FROM task_tags WHERE tag = 'other'`)).rows).toEqual([
      { n: 0 },
    ]);
  });
});

function idAt(ms: number): string {
  return `${ms
    .toString(16)
    .padStart(12, '0')
    .replace(/^(.{8})/, '$1-')}-7000-8000-000000000000`;
}
