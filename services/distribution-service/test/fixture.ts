import { until } from '@baton/testkit';
import { pino } from 'pino';
import { startDistribution, type Distribution } from '../src/distribution.app.js';
import { startBroker, type Broker } from './broker.js';
import { startScriptedTaskService, type ScriptedTaskService } from './scripted-task-service.js';

/** A distribution-service under test and what is around it. */
export type Fixture = {
  readonly broker: Broker;
  readonly tasks: ScriptedTaskService;
  /** Starts the service and waits until it is ready. Agents have to be there before. */
  start(): Promise<Distribution>;
  close(): Promise<void>;
};

/** Starts a broker and a scripted task-service; the service under test is started by the test. */
export async function startFixture(): Promise<Fixture> {
  const broker = await startBroker();
  const tasks = await startScriptedTaskService(broker.url);
  const started: Distribution[] = [];
  return {
    broker,
    tasks,
    async start() {
      const distribution = await startService(broker.url);
      started.push(distribution);
      await until(() => isReady(distribution), { describe: 'the service becomes ready' });
      return distribution;
    },
    async close() {
      for (const distribution of started) await distribution.stop();
      await tasks.close();
      await broker.close();
    },
  };
}

/** Starts the service as it is, ready or not. */
export function startService(natsUrl: string): Promise<Distribution> {
  const logger = pino({ level: process.env['BATON_TEST_LOG_LEVEL'] ?? 'silent' });
  return startDistribution({ natsUrl, operations: { host: '127.0.0.1', port: 0 }, logger });
}

/** What the operations port says. */
export async function isReady({ operationsPort }: Distribution): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${operationsPort}/readyz`)).status === 200;
}
