import {
  parseFilter,
  type CountTasks,
  type ListTasks,
  type TaskCount,
  type TaskFilter,
  type TaskListItem,
  type TaskPage,
} from '@baton/contracts';
import type { Pool } from '../database/database.js';
import type { Cursors } from './cursor.js';
import { planList, type ListPlan, type ListRequest } from './list.filter.js';
import { COUNTED_ROWS } from './list.policy.js';
import type { Position } from './list.statements.store.js';
import { countRows, estimateRows, findPage } from './list.store.js';
import { toListItem } from './task.view.js';

/** For whom a list is, and how much of it fits one answer. */
export type ListScope = {
  /** Only what this agent created or had last. */
  readonly relatedTo?: string;
  /** A page ends before its tasks take more bytes than this as JSON; one always fits. */
  readonly maxBytes?: number;
};

/** Lists and counts of tasks, along an index and never with payloads: cost does not grow with the tables. */
export class ListService {
  constructor(
    private readonly pool: Pool,
    private readonly cursors: Cursors,
    /** Milliseconds: what ages are counted back from. */
    private readonly now: () => number = Date.now,
  ) {}

  /** A page; it may be short, or empty, and `next` still lead on: only a page without `next` is the last. */
  async page({ q, sort, limit, cursor, archived }: ListTasks, scope: ListScope = {}): Promise<TaskPage> {
    const { relatedTo, maxBytes } = scope;
    const context = `${sort} ${relatedTo ?? ''} ${archived ? 'archived ' : ''}${q}`;
    const after = cursor === undefined ? undefined : toPosition(this.cursors.decode(cursor, context));
    const request = { filter: parseFilter(q), sort, now: this.now() };
    const only = { ...(relatedTo ? { relatedTo } : {}), ...(archived ? { archived } : {}) };
    const plan = await this.choose({ ...request, ...only });
    if (plan === undefined) return { data: [], page: { next: null, hasMore: false } };
    const { tasks, next } = await findPage(this.pool, plan, after, limit);
    const items = tasks.map(toListItem);
    const data = maxBytes === undefined ? items : thoseThatFit(items, maxBytes);
    const last = tasks[data.length - 1];
    const end = data.length < items.length ? last : next;
    return {
      data,
      page: { next: end ? this.cursors.encode(toText(end), context) : null, hasMore: end !== undefined },
    };
  }

  /** Exact where the list to go through is at most COUNTED_ROWS long; else estimated from that many of it. */
  count({ q, archived }: CountTasks): Promise<TaskCount> {
    return this.countOf(parseFilter(q), this.now(), archived);
  }

  /** As `count`; ages are counted back from `now`. */
  async countOf(filter: TaskFilter, now = this.now(), archived?: true): Promise<TaskCount> {
    const plan = await this.choose({ filter, sort: '-createdAt', now, ...(archived ? { archived } : {}) });
    if (plan === undefined) return { count: 0, approximate: false };
    const { scanned, matched } = await countRows(this.pool, plan);
    if (scanned <= COUNTED_ROWS) return { count: matched, approximate: false };
    const estimate = (await estimateRows(this.pool, plan)) * (matched / scanned);
    return { count: Math.max(matched, Math.round(estimate)), approximate: true };
  }

  /**
   * The next tasks of a filter in one order of creation, behind one of them, as of `now`, and where to go on. There may be
   * fewer than asked for, even none, and more behind them; the list ends where `next` is null.
   */
  async walk(
    request: ListRequest & { readonly sort: 'createdAt' | '-createdAt' },
    after: string | null,
    limit: number,
  ): Promise<{ readonly ids: readonly string[]; readonly next: string | null }> {
    const plan = await this.choose(request);
    if (plan === undefined) return { ids: [], next: null };
    const position = after === null ? undefined : { id: after, priority: 0 };
    const { tasks, next } = await findPage(this.pool, plan, position, limit);
    return { ids: tasks.map(({ id }) => id), next: next?.id ?? null };
  }

  /** Of several ways the one with the fewest rows, as far as statistics tell: all give the same list. */
  private async choose(request: ListRequest): Promise<ListPlan | undefined> {
    const plans = planList(request);
    if (plans.length < 2) return plans[0];
    const estimated = await Promise.all(
      plans.map(async (plan) => ({ plan, rows: await estimateRows(this.pool, plan) })),
    );
    return estimated.toSorted((a, b) => a.rows - b.rows)[0]?.plan;
  }
}

function toText({ id, priority }: Position): string {
  return `${id} ${priority}`;
}

function toPosition(text: string): Position {
  const [id = '', priority] = text.split(' ');
  return { id, priority: Number(priority) };
}

function thoseThatFit(items: TaskListItem[], maxBytes: number): TaskListItem[] {
  let bytes = 0;
  const end = items.findIndex((item, index) => {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    return bytes > maxBytes && index > 0;
  });
  return end === -1 ? items : items.slice(0, end);
}
