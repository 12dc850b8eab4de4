import { Counter, Gauge } from 'prom-client';
import { countMonths } from './archive/export.store.js';
import { oldestOutboxSeconds } from './outbox/outbox.store.js';
import type { Services } from './services.js';

/** Registers what the operations port shows of this service beside the process' own figures. */
export function observe({ writePath, pools, archiver, exporter }: Services): void {
  const changes = new Counter({
    name: 'baton_task_changes_total',
    help: 'Accepted changes of tasks by arrow of the life cycle',
    labelNames: ['arrow'],
  });
  const refusals = new Counter({
    name: 'baton_task_refusals_total',
    help: 'Commands for tasks that were refused by this process and changed nothing; STALE_… are late results and other words of who holds the task no more',
    labelNames: ['command', 'code'],
  });
  writePath.onCommit({
    committed: (committed) => {
      for (const { arrow } of committed) changes.inc({ arrow });
    },
    refused: (refused) => {
      for (const refusal of refused) refusals.inc(refusal);
    },
  });
  new Gauge({
    name: 'baton_write_path_waiting_commands',
    help: 'Commands waiting in the lanes of this process',
    collect() {
      this.set(writePath.depth);
    },
  });
  new Counter({
    name: 'baton_archived_tasks_total',
    help: 'Tasks this process moved to the archive',
    collect() {
      this.reset();
      this.inc(archiver.counts.tasks);
    },
  });
  new Counter({
    name: 'baton_exported_tasks_total',
    help: 'Tasks this process wrote to files as their month left the archive',
    collect() {
      this.reset();
      this.inc(exporter.counts.tasks);
    },
  });
  new Gauge({
    name: 'baton_archive_months',
    help: 'Months of the archive by state: open, exporting, exported (to be dropped), dropped',
    labelNames: ['state'],
    async collect() {
      this.reset();
      for (const { state, months } of await countMonths(pools.other)) this.set({ state }, months);
    },
  });
  new Gauge({
    name: 'baton_outbox_oldest_seconds',
    help: 'Age of the oldest committed event that is not published',
    async collect() {
      this.set(await oldestOutboxSeconds(pools.other));
    },
  });
  new Gauge({
    name: 'baton_postgres_pool_connections',
    help: 'Connections to Postgres by what they are for and their state; `awaited` are those asked for in vain so far',
    labelNames: ['pool', 'state'],
    collect() {
      for (const [name, { idleCount, totalCount, waitingCount }] of Object.entries(pools)) {
        this.set({ pool: name, state: 'idle' }, idleCount);
        this.set({ pool: name, state: 'busy' }, totalCount - idleCount);
        this.set({ pool: name, state: 'awaited' }, waitingCount);
      }
    },
  });
}
