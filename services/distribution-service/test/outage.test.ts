import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { planBroker, startBroker } from './broker.js';
import { queuedTask } from './factories.js';
import { isReady, startService } from './fixture.js';
import { startScriptedTaskService } from './scripted-task-service.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

describe('the service', () => {
  it('starts while NATS and task-service are down, and works once they are up', async () => {
    const plan = await planBroker();
    const distribution = await startService(plan);
    closing.push(() => distribution.stop());
    expect(await isReady(distribution)).toBe(false);
    const broker = await startBroker(plan);
    closing.unshift(() => broker.close());
    const tasks = await startScriptedTaskService(broker);
    closing.push(() => tasks.close());
    tasks.addAgent('a');
    await until(() => isReady(distribution), { timeoutMs: 15_000 });
    await tasks.create([queuedTask()]);
    await until(() => tasks.assigned.length === 1);
  });

  it('shows its figures on the operations port and stops cleanly, twice', async () => {
    const broker = await startBroker();
    closing.push(() => broker.close());
    const distribution = await startService(broker);
    const figures = await (await fetch(`http://127.0.0.1:${distribution.operationsPort}/metrics`)).text();
    for (const name of [
      'decisions_total',
      'decision_seconds',
      'agents',
      'waiting_classes',
      'expiries_total',
    ]) {
      expect(figures).toContain(`baton_distribution_${name}`);
    }
    await distribution.stop();
    await distribution.stop();
    await expect(fetch(`http://127.0.0.1:${distribution.operationsPort}/livez`)).rejects.toThrow(
      'fetch failed',
    );
  });
});
