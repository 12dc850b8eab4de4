import type { Check, ListPlan, Range } from './list.filter.js';
import { COUNTED_ROWS, SCANNED_ROWS } from './list.policy.js';
import { STATE_COLUMNS } from './task.columns.js';

/** Where a page ended: the task it ended at, which need not be one of its own. */
export type Position = { readonly id: string; readonly priority: number };

const COLUMNS = [...STATE_COLUMNS, 'title', 'tags', 'estimated_duration'];

/** A statement of a list: what it reads, and the values of its parameters. */
export type Statement = { readonly text: string; readonly values: readonly unknown[] };

/**
 * A page of `limit` behind `after`, and one row more to tell whether the list goes on. Which tasks it has is found with
 * no more of them than the index and the checks need; only those of the page are read whole.
 */
export function pageStatement(plan: ListPlan, after: Position | undefined, limit: number): Statement {
  const sql = new Values();
  const order = orderOf(plan);
  const found = isChecked(plan)
    ? `SELECT * FROM (
        SELECT t.*, row_number() OVER (ORDER BY ${order})::int AS n, ${checks(plan, sql)} AS hit
        FROM (${scan(plan, sql, after, SCANNED_ROWS)}) t) checked
      WHERE hit OR n = ${SCANNED_ROWS}`
    : `SELECT t.*, NULL::int AS n, true AS hit FROM (${scan(plan, sql, after, limit + 1)}) t`;
  const text = `SELECT ${COLUMNS.map((name) => `t.${name}`).join(', ')}, f.n, f.hit
    FROM (${found} ORDER BY ${order} LIMIT ${limit + 1}) f JOIN ${tableOf(plan)} t ON t.id = f.id
    ORDER BY ${order.replaceAll(/\b(id|priority)\b/g, 'f.$1')}`;
  return { text, values: sql.values };
}

/** Counts what matches among the first rows. */
export function countStatement(plan: ListPlan): Statement {
  const sql = new Values();
  const text = `SELECT count(*)::int AS scanned, (count(*) FILTER (WHERE ${checks(plan, sql)}))::int AS matched
    FROM (${scan(plan, sql, undefined, COUNTED_ROWS + 1)}) t`;
  return { text, values: sql.values };
}

/** Asks for the plan of all rows of the ranges. */
export function estimateStatement(plan: ListPlan): Statement {
  const sql = new Values();
  const ranges = plan.ranges.map((range) => {
    const { from, conditions } = source(plan, range, sql);
    return `SELECT 1 FROM ${from} WHERE ${['true', ...conditions].join(' AND ')}`;
  });
  return { text: `EXPLAIN (FORMAT JSON) ${ranges.join(' UNION ALL ')}`, values: sql.values };
}

/** Numbers parameters as they are used. */
class Values {
  readonly values: unknown[] = [];
  add(value: unknown, type: string): string {
    return `$${this.values.push(value)}::${type}`;
  }
}

function isChecked({ checks: terms, relatedTo, order, from, before }: ListPlan): boolean {
  const areBoundsChecked = order.by === 'priority' && (from !== undefined || before !== undefined);
  return terms.length > 0 || relatedTo !== undefined || areBoundsChecked;
}

function orderOf({ order: { by, descending } }: ListPlan): string {
  const direction = descending ? 'DESC' : 'ASC';
  return by === 'id' ? `id ${direction}` : `priority ${direction}, id ${direction}`;
}

/**
 * The first rows of all ranges, merged in order. Each range is limited and ordered by itself, so that the database
 * reads each along the index and merges them, a row at a time, instead of collecting and sorting them.
 */
function scan(plan: ListPlan, sql: Values, after: Position | undefined, limit: number): string {
  const { by, descending } = plan.order;
  const beyond = descending ? '<' : '>';
  const ranges = plan.ranges.map((range) => {
    const { from, id, conditions } = source(plan, range, sql);
    const direction = descending ? 'DESC' : 'ASC';
    if (after !== undefined && by === 'id') conditions.push(`${id} ${beyond} ${sql.add(after.id, 'uuid')}`);
    if (after !== undefined && by === 'priority') {
      const [priority, last] = [sql.add(after.priority, 'int'), sql.add(after.id, 'uuid')];
      conditions.push(`(t.priority, t.id) ${beyond} (${priority}, ${last})`);
    }
    const order = by === 'id' ? `${id} ${direction}` : `t.priority ${direction}, t.id ${direction}`;
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const columns = columnsOf(plan).map((name) => (name === 'id' ? `${id} AS id` : `t.${name}`));
    return `(SELECT ${columns.join(', ')} FROM ${from} ${where} ORDER BY ${order} LIMIT ${limit})`;
  });
  if (ranges.length === 1) return ranges.join('');
  const distinct = plan.list === 'related' ? 'DISTINCT ON (id)' : '';
  return `SELECT ${distinct} * FROM (${ranges.join(' UNION ALL ')}) u ORDER BY ${orderOf(plan)} LIMIT ${limit}`;
}

/** What orders the rows and is checked on them. */
function columnsOf({ order, checks: terms, relatedTo }: ListPlan): readonly string[] {
  const ordering = order.by === 'priority' ? ['id', 'priority'] : ['id'];
  const related = relatedTo === undefined ? [] : ['created_by', 'last_agent_id'];
  return [...new Set([...ordering, ...terms.map(({ field }) => CHECKED[field]), ...related])];
}

const CHECKED: Readonly<Record<Check['field'], string>> = {
  status: 'status',
  priority: 'priority',
  type: 'type',
  agent: 'last_agent_id',
  creator: 'created_by',
  tag: 'tags',
  parent: 'parent_task_id',
  root: 'root_task_id',
  text: 'title',
  completed: 'completed_at',
};

/** Where a range is read, and its bounds there. */
function source(plan: ListPlan, range: Range, sql: Values) {
  const { from: lowest, before, order, priorities } = plan;
  const isTagged = range.tag !== undefined;
  const tagged = columnsOf(plan).length > 1 ? 'task_tags g JOIN tasks t ON t.id = g.task_id' : 'task_tags g';
  const from = isTagged ? tagged : `${tableOf(plan)} t`;
  const id = isTagged ? 'g.task_id' : 't.id';
  const conditions = [
    range.status && `${statusOf(range)} = ${sql.add(range.status, 'text')}`,
    range.priority && `t.priority = ${sql.add(range.priority, 'int')}`,
    range.type && `t.type = ${sql.add(range.type, 'text')}`,
    range.agent && `t.last_agent_id = ${sql.add(range.agent, 'text')}`,
    range.creator && `t.created_by = ${sql.add(range.creator, 'text')}`,
    range.tag && `g.tag = ${sql.add(range.tag, 'text')}`,
    range.parent && `t.parent_task_id = ${sql.add(range.parent, 'uuid')}`,
    range.below && `t.root_task_id = ${sql.add(range.below, 'uuid')} AND t.parent_task_id IS NOT NULL`,
    range.root && `t.id = ${sql.add(range.root, 'uuid')} AND t.parent_task_id IS NULL`,
    ...(order.by === 'id' ? bounds(id, lowest, before, sql) : []),
    priorities && `t.priority BETWEEN ${sql.add(priorities[0], 'int')} AND ${sql.add(priorities[1], 'int')}`,
  ].filter((condition) => condition !== undefined);
  return { from, id, conditions };
}

function tableOf({ archived }: ListPlan): string {
  return archived ? 'archived_tasks' : 'tasks';
}

/** As the index of the range has it: see `HELD`. */
function statusOf({ agent }: Range): string {
  return agent === undefined ? 't.status' : 't.status COLLATE "C"';
}

function bounds(id: string, from: string | undefined, before: string | undefined, sql: Values) {
  return [from && `${id} >= ${sql.add(from, 'uuid')}`, before && `${id} < ${sql.add(before, 'uuid')}`];
}

/** What is not known of a task (the agent of one nobody had) is no match. */
function checks({ checks: terms, relatedTo, order, from, before }: ListPlan, sql: Values): string {
  const conditions = [
    ...terms.map((term) => check(term, sql)),
    ...(order.by === 'priority' ? bounds('t.id', from, before, sql) : []),
    relatedTo &&
      `(t.created_by = ${sql.add(`agent:${relatedTo}`, 'text')} OR t.last_agent_id = ${sql.add(relatedTo, 'text')})`,
  ].filter((condition) => condition !== undefined);
  return conditions.length === 0 ? 'true' : `coalesce(${conditions.join(' AND ')}, false)`;
}

function check(term: Check, sql: Values): string {
  switch (term.field) {
    case 'status':
      return `t.status = ANY(${sql.add(term.any, 'text[]')})`;
    case 'priority':
      return `t.priority = ANY(${sql.add(term.any, 'int[]')})`;
    case 'type':
      return `t.type LIKE ANY(${sql.add(term.any.map(toPattern), 'text[]')})`;
    case 'agent':
      return `t.last_agent_id = ANY(${sql.add(term.any, 'text[]')})`;
    case 'creator':
      return `t.created_by = ANY(${sql.add(term.any, 'text[]')})`;
    case 'tag':
      return `t.tags::jsonb ? ${sql.add(term.is, 'text')}`;
    case 'parent':
      return `t.parent_task_id = ${sql.add(term.is, 'uuid')}`;
    case 'root':
      return `t.root_task_id = ${sql.add(term.is, 'uuid')}`;
    case 'text':
      return `t.title ILIKE ${sql.add(`%${escapeLike(term.is)}%`, 'text')}`;
    case 'completed':
      return 'from' in term
        ? `t.completed_at >= to_timestamp(${sql.add(term.from / 1_000, 'float8')})`
        : `t.completed_at < to_timestamp(${sql.add(term.before / 1_000, 'float8')})`;
  }
}

function toPattern(type: string): string {
  return type.endsWith('*') ? `${escapeLike(type.slice(0, -1))}%` : escapeLike(type);
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}
