import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { asAdmin } from '@baton/testkit';
import { startBalancer, type Balancer } from '../system/balancer.js';
import { withSystem } from '../system/system.js';
import { withWork } from '../system/work.js';

jest.setTimeout(240_000);

describe('a rolling restart of every service under load', () => {
  it('fails no request, answers every one under way and gives no agent up', () =>
    withSystem(
      { tasks: 2, distributions: 2, metrics: 2, environment: { BATON_SHUTDOWN_DELAY_MS: '500' } },
      async (system) => {
        const tasks = await startBalancer(system.tasks);
        const metrics = await startBalancer(system.metrics);
        const done = new AbortController();
        const reading = [
          readOn(tasks, '/v1/tasks', done.signal),
          readOn(metrics, '/v1/metrics/tasks', done.signal),
        ];
        try {
          const { acknowledged, truth } = await withWork(
            system,
            { perSecond: 40, workMs: [50, 250], urls: () => tasks.urls() },
            async (work) => {
              await work.untilCompleted(20);
              for (const replica of system.replicas) {
                await work.untilInProgress();
                await replica.stop();
                await replica.start();
                await replica.ready();
                // The next one stops only when this one gets traffic again, as a rollout does.
                await Promise.all([tasks.finds(replica), metrics.finds(replica)]);
              }
            },
          );
          expect(acknowledged.repeated).toBe(0);
          expect(truth).toMatchObject({ expiries: 0, lost: 0, restarts: 0 });
        } finally {
          done.abort();
          await Promise.all([tasks.stop(), metrics.stop()]);
        }
        for (const { answered, failures } of await Promise.all(reading)) {
          expect(failures).toEqual([]);
          expect(answered).toBeGreaterThan(100);
        }
      },
    ));
});

type Reading = { readonly answered: number; readonly failures: readonly string[] };

/** Reads again and again, in turn from each replica that is ready, and keeps what went wrong. */
async function readOn(balancer: Balancer, path: string, done: AbortSignal): Promise<Reading> {
  const failures: string[] = [];
  let answered = 0;
  for (let turn = 0; !done.aborted; turn += 1) {
    const urls = balancer.urls();
    try {
      const { status } = await fetch(`${urls[turn % urls.length]}${path}`, {
        headers: asAdmin,
        signal: AbortSignal.timeout(10_000),
      });
      if (status === 200) answered += 1;
      else failures.push(`${path}: HTTP ${status}`);
    } catch (error) {
      failures.push(`${path}: ${String(error)} ${String((error as Error).cause)}`);
    }
    await delay(20);
  }
  return { answered, failures };
}
