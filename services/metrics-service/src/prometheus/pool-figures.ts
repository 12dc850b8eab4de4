import { Gauge } from 'prom-client';
import type { DataSource } from 'typeorm';

type Pool = { readonly idleCount: number; readonly totalCount: number; readonly waitingCount: number };

/** Registers what the pool of an initialised data source of Postgres does, as task-service shows of its own. */
export function registerPoolFigures(dataSource: DataSource): void {
  // TypeORM declares it only as `any`: the pool of pg that the driver opened.
  const pool = (dataSource.driver as unknown as { readonly master: Pool }).master;
  new Gauge({
    name: 'baton_postgres_pool_connections',
    help: 'Connections to Postgres by what they are for and their state; `awaited` are those asked for in vain so far',
    labelNames: ['pool', 'state'],
    collect() {
      const { idleCount, totalCount, waitingCount } = pool;
      this.set({ pool: 'metrics', state: 'idle' }, idleCount);
      this.set({ pool: 'metrics', state: 'busy' }, totalCount - idleCount);
      this.set({ pool: 'metrics', state: 'awaited' }, waitingCount);
    },
  });
}
