import {
  parseFilter,
  stringifyFilter,
  type FilterField,
  type TaskPage,
  type TaskSort,
} from '@baton/contracts';
import { getRequest, startHttpLoad, type HttpLoad } from '../measure/http-load.js';
import { percentiles } from '../measure/percentiles.js';
import { VARIETY } from './fill.js';

/** One filter in one order, measured. */
export type MeasuredList = {
  readonly fields: string;
  readonly sort: TaskSort;
  /** A text no task has was looked for as well: the longest a page can take. */
  readonly isSearch: boolean;
  readonly ms: { readonly p50: number; readonly p95: number; readonly max: number };
  /** CPU of task-service and Postgres for a page, in milliseconds, whatever else the machine does; undefined where the system does not tell. */
  readonly cpuMs: number | undefined;
};

type Pair = { readonly fields: readonly FilterField[]; readonly sort: TaskSort };

const nothing = '"no task has this in its title"';
const warmUp = 10;

/** Reads pages of every filter in every order the service says it supports, one after the other. */
export async function measureLists(options: {
  readonly tasksUrl: string;
  readonly parent: string;
  readonly pages: number;
  /** CPU used so far by task-service and Postgres, in milliseconds. */
  readonly usedMs: () => Promise<number | undefined>;
}): Promise<readonly MeasuredList[]> {
  const { tasksUrl, parent, pages, usedMs } = options;
  const load = startHttpLoad(tasksUrl);
  try {
    const pairs = await supportedPairs(load, tasksUrl);
    const measured: MeasuredList[] = [];
    for (const { fields, sort } of pairs) {
      for (const isSearch of [false, true]) {
        if (isSearch && fields.length === 0) continue;
        const ms: number[] = [];
        let cursor: string | null = null;
        let usedBefore: number | undefined;
        for (let index = -warmUp; index < pages; index += 1) {
          if (index === 0) usedBefore = await usedMs();
          // Every other page is the second of its list, with a value of its own.
          const filter = fields.map((field) => term(field, index >> 1, parent));
          const q = stringifyFilter(parseFilter([...filter, ...(isSearch ? [nothing] : [])].join(' ')));
          const query = { q, sort, ...(index % 2 === 0 || cursor === null ? {} : { cursor }) };
          const request = getRequest(`${tasksUrl}?${new URLSearchParams(query).toString()}`);
          const sentAt = performance.now();
          const { status, body } = await load.send(request);
          const tookMs = performance.now() - sentAt;
          if (status !== 200)
            throw new Error(`expected ${q} by ${sort} to be answered 200, got ${status}: ${body}`);
          if (index >= 0) ms.push(tookMs);
          cursor = (JSON.parse(body) as TaskPage).page.next;
        }
        const usedAfter = await usedMs();
        const cpuMs =
          usedAfter === undefined || usedBefore === undefined ? undefined : (usedAfter - usedBefore) / pages;
        const times = percentiles(ms, { p50: 0.5, p95: 0.95, max: 1 });
        measured.push({ fields: fields.join(' + ') || 'nothing', sort, isSearch, ms: times, cpuMs });
      }
    }
    return measured;
  } finally {
    load.close();
  }
}

/** Asks for what cannot be had: the refusal lists what can. */
async function supportedPairs(load: HttpLoad, tasksUrl: string): Promise<readonly Pair[]> {
  const { body } = await load.send(getRequest(`${tasksUrl}?text=x`));
  const { details } = JSON.parse(body) as {
    readonly details?: {
      readonly supported?: readonly { readonly fields: FilterField[]; readonly sorts: TaskSort[] }[];
    };
  };
  const supported = details?.supported ?? [];
  if (supported.length === 0) throw new Error(`expected a refusal that lists what is supported, got ${body}`);
  return supported.flatMap(({ fields, sorts }) => {
    const [first, ...others] = fields;
    const sets = first === undefined ? [[]] : [[first], ...others.map((other) => [first, other])];
    return sets.flatMap((set) => sorts.map((sort) => ({ fields: set, sort })));
  });
}

/** A value of the field, another one for each index. */
function term(field: FilterField, index: number, parent: string): string {
  const nth = (of: number) => Math.abs(index * 7) % of;
  switch (field) {
    case 'status':
      return `status:${['completed', 'failed', 'cancelled,failed', 'queued', 'completed,failed'][nth(5)]}`;
    case 'priority':
      return `priority:${1 + nth(5)}`;
    case 'type':
      return `type:history.${nth(VARIETY.types)}`;
    case 'agent':
      return `agent:agent-${nth(VARIETY.agents)}`;
    case 'creator':
      return `creator:user:${nth(VARIETY.creators)}`;
    case 'tag':
      return `tag:tag-${nth(VARIETY.tags)}`;
    case 'parent':
    case 'root':
      return `${field}:${parent}`;
    case 'created':
    case 'completed':
    case 'age':
    case 'text':
      throw new Error(`${field} is not expected among the fields of an index`);
  }
}
