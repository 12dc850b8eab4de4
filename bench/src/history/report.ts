import { availableParallelism } from 'node:os';
import type { MeasuredList } from './lists.js';
import type { HistoryOptions } from './options.js';
import type { HistoryResult, Lifecycles } from './run.js';

/** The result for people. */
export function report({ tasks, backlog, pages }: HistoryOptions, result: HistoryResult): string {
  const { lists, lifecycles, versions } = result;
  const sections = [
    `Lists of 50 with ${tasks} finished and ${backlog} waiting tasks in the tables, ${pages} pages of each, ` +
      `${availableParallelism()} cores, fsync ${result.fsyncMs.toFixed(2)} ms`,
    'A page of a list, ms:',
    lines(lists.filter(({ isSearch }) => !isSearch)),
    'A page that is searched for a title and finds nothing in all the rows it may look at, ms:',
    lines(lists.filter(({ isSearch }) => isSearch)),
    ...(lifecycles === undefined
      ? []
      : [
          `Lifecycles: ${speed(lifecycles.before)} before, ${speed(lifecycles.after)} after the tables were filled`,
        ]),
    `Node ${versions.node}, PostgreSQL ${versions.postgres}, nats-server ${versions.nats}, Baton ${versions.baton}`,
  ];
  return sections.join('\n\n');
}

/** The result for programs, one line. */
export function toJsonLine({ tasks, backlog, pages }: HistoryOptions, result: HistoryResult): string {
  const { lists, lifecycles, versions, fsyncMs } = result;
  return JSON.stringify({
    bench: 'history',
    tasks,
    backlog,
    pages,
    lists: lists.map(({ fields, sort, isSearch, ms, cpuMs }) => ({
      fields,
      sort,
      search: isSearch,
      p50_ms: rounded(ms.p50),
      p95_ms: rounded(ms.p95),
      max_ms: rounded(ms.max),
      ...(cpuMs === undefined ? {} : { cpu_ms: rounded(cpuMs) }),
    })),
    ...(lifecycles && {
      lifecycles: { before: numbers(lifecycles.before), after: numbers(lifecycles.after) },
    }),
    versions,
    cores: availableParallelism(),
    fsync_ms: rounded(fsyncMs),
  });
}

function numbers({ perSecond, cpuMicroseconds }: Lifecycles) {
  return {
    e2e_per_s: rounded(perSecond),
    ...(cpuMicroseconds === undefined ? {} : { cpu_us_per_task: rounded(cpuMicroseconds) }),
  };
}

function speed({ perSecond, cpuMicroseconds }: Lifecycles): string {
  const cpu = cpuMicroseconds === undefined ? '' : ` (${cpuMicroseconds.toFixed(0)} µs of CPU each)`;
  return `${perSecond.toFixed(0)}/s${cpu}`;
}

function lines(lists: readonly MeasuredList[]): string {
  const width = Math.max(...lists.map(({ fields }) => fields.length));
  return lists
    .map(({ fields, sort, ms, cpuMs }) => {
      const times = `p50 ${ms.p50.toFixed(1).padStart(6)}  p95 ${ms.p95.toFixed(1).padStart(6)}  max ${ms.max.toFixed(1).padStart(6)}`;
      const cpu = cpuMs === undefined ? '' : `  CPU ${cpuMs.toFixed(1).padStart(5)}`;
      return `  ${fields.padEnd(width)}  ${sort.padEnd(10)}  ${times}${cpu}`;
    })
    .join('\n');
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
