import { availableParallelism } from 'node:os';
import type { LifecycleOptions } from './options.js';
import type { LifecycleResult } from './run.js';

/** The result for people. */
export function report(options: LifecycleOptions, result: LifecycleResult): string {
  const { closed, open, versions } = result;
  const { createPerSecond, endToEndPerSecond } = rates(options, result);
  const sections = [
    `Lifecycle of ${options.tasks} no-op tasks, ${options.inFlight} creates in flight, ` +
      `${options.agents} agents with ${options.slots} slots, ${availableParallelism()} cores, ` +
      `fsync ${result.fsyncMs.toFixed(2)} ms`,
    lines([
      ['created', `${createPerSecond.toFixed(0)}/s`, answerTimes(closed.answerMs)],
      ['end to end', `${endToEndPerSecond.toFixed(0)}/s`, partsOf(closed.parts)],
      ...(open === undefined
        ? []
        : [
            [
              'create → start',
              `p50 ${open.startMs.p50.toFixed(1)} ms, p99 ${open.startMs.p99.toFixed(1)} ms`,
              `at ${options.rate}/s; ${partsOf(open.parts)}`,
            ],
          ]),
    ]),
    ...cpuSections(result),
    `Postgres for each task: ${closed.cost.transactions.toFixed(2)} transactions, ` +
      `${(closed.cost.walBytes / 1_024).toFixed(1)} KiB of log, ${closed.cost.walFsyncs.toFixed(2)} syncs of it`,
    `Events for each transaction: ${closed.batches
      .map(({ event, events, transactions }) => `${event} ${(events / transactions).toFixed(1)}`)
      .join(', ')}`,
    `Node ${versions.node}, PostgreSQL ${versions.postgres}, nats-server ${versions.nats}, Baton ${versions.baton}`,
  ];
  if (result.profile !== undefined) sections.splice(1, 0, result.profile);
  return sections.join('\n\n');
}

/** The result for programs, one line. */
export function toJsonLine(options: LifecycleOptions, result: LifecycleResult): string {
  const { closed, open, versions, irregular } = result;
  const { createPerSecond, endToEndPerSecond } = rates(options, result);
  const { cpu } = closed.cost;
  return JSON.stringify({
    bench: 'lifecycle',
    tasks: options.tasks,
    in_flight: options.inFlight,
    agents: options.agents,
    slots: options.slots,
    create_per_s: rounded(createPerSecond),
    e2e_per_s: rounded(endToEndPerSecond),
    ...(open && { start_ms: { p50: rounded(open.startMs.p50), p99: rounded(open.startMs.p99) } }),
    versions,
    ...(cpu && { cpu_us_per_task: Object.fromEntries([...cpu].map(([name, us]) => [name, rounded(us)])) }),
    cores: availableParallelism(),
    fsync_ms: rounded(result.fsyncMs),
    irregular,
  });
}

/** Per second, over the closed loop. */
export function rates({ tasks }: LifecycleOptions, { closed }: LifecycleResult) {
  return {
    createPerSecond: (tasks * 1_000) / closed.createMs,
    endToEndPerSecond: (tasks * 1_000) / closed.endToEndMs,
  };
}

function cpuSections({ closed }: LifecycleResult): readonly string[] {
  const { cpu, postgresCpu } = closed.cost;
  if (cpu === undefined) return [];
  const total = [...cpu.values()].reduce((sum, us) => sum + us, 0);
  const sorted = [...cpu].toSorted(([, a], [, b]) => b - a);
  const rows = sorted.map(([name, us]) => [
    name,
    `${us.toFixed(0)} µs`,
    `${((us / total) * 100).toFixed(0)} %`,
  ]);
  const backends = [...postgresCpu]
    .filter(([, us]) => us >= 1)
    .map(([name, us]) => `${name} ${us.toFixed(0)}`);
  return [
    `CPU for each task (${total.toFixed(0)} µs: two busy cores would do ${(2e6 / total).toFixed(0)} tasks per second)`,
    lines(rows),
    `Postgres by purpose, µs: ${backends.join(', ')}`,
  ];
}

function answerTimes({ p50, p99 }: { readonly p50: number; readonly p99: number }): string {
  return `answered in p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
}

function partsOf(parts: LifecycleResult['closed']['parts']): string {
  const { createdToAssigned, assignedToStarted, startedToCompleted } = parts;
  return (
    `median ms from created to assigned ${createdToAssigned.toFixed(1)}, ` +
    `to started ${assignedToStarted.toFixed(1)}, to completed ${startedToCompleted.toFixed(1)}`
  );
}

function lines(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
