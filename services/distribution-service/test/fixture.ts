import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess, type RunningProcess } from '@baton/stack';
import { serviceLogin, until, type Nats } from '@baton/testkit';
import { pino } from 'pino';
import { startDistribution, type Distribution } from '../src/distribution.app.js';
import { startBroker, type Broker } from './broker.js';
import { startScriptedTaskService, type ScriptedTaskService } from './scripted-task-service.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** A distribution-service under test and what is around it. */
export type Fixture = {
  readonly broker: Broker;
  readonly tasks: ScriptedTaskService;
  /** Starts the service and waits until it is ready. Agents have to be there before. */
  start(): Promise<Distribution>;
  /** Starts the built service as a process of its own, to be killed or stopped by the test or at the end. */
  startProcess(): Promise<RunningProcess>;
  close(): Promise<void>;
};

/** Starts a broker and a scripted task-service; the service under test is started by the test. */
export async function startFixture(): Promise<Fixture> {
  const broker = await startBroker();
  const tasks = await startScriptedTaskService(broker);
  const started: Distribution[] = [];
  const processes: RunningProcess[] = [];
  const directory = await mkdtemp(join(tmpdir(), 'distribution-service-test-'));
  return {
    broker,
    tasks,
    async start() {
      const distribution = await startService(broker);
      started.push(distribution);
      await until(() => isReady(distribution), { describe: 'the service becomes ready' });
      return distribution;
    },
    async startProcess() {
      const child = await startProcess({
        name: 'distribution-service',
        command: process.execPath,
        arguments: [MAIN],
        logFile: join(directory, `${processes.length}.log`),
        environment: {
          ...process.env,
          ...serviceLogin(broker, 'distribution-service'),
          BATON_OPERATIONS_PORT: '0',
        },
      });
      processes.push(child);
      return child;
    },
    async close() {
      for (const distribution of started) await distribution.stop();
      await Promise.all(processes.map((child) => child.stop()));
      await rm(directory, { recursive: true, force: true });
      await tasks.close();
      await broker.close();
    },
  };
}

/** Starts the service as it is, ready or not. */
export async function startService({ url, access }: Nats): Promise<Distribution> {
  const logger = pino({ level: process.env['BATON_TEST_LOG_LEVEL'] ?? 'silent' });
  const read = (name: string) => readFile(join(access.directory, `${name}.creds`), 'utf8');
  const nats = {
    servers: url,
    credentials: await read('distribution-service'),
    probeCredentials: await read('probe'),
  };
  return startDistribution({ nats, operations: { host: '127.0.0.1', port: 0 }, logger });
}

/** What the operations port says. */
export async function isReady({ operationsPort }: Distribution): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${operationsPort}/readyz`)).status === 200;
}

/** What a check says, `ok` or what is wrong. */
export async function readCheck({ operationsPort }: Distribution, name: string): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${operationsPort}/readyz?verbose`);
  return ((await answer.json()) as { checks: Record<string, unknown> }).checks[name];
}
