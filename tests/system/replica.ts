import { join } from 'node:path';
import {
  checkoutDirectory,
  planService,
  startProcess,
  untilReady,
  type RunningProcess,
  type ServiceDefinition,
  type ServicePlan,
} from '@baton/stack';
import type { TestNats } from '@baton/testkit';

/** The addresses a service is given; they may be those of wires in between. */
export type Servers = {
  readonly postgresUrl: string;
  readonly metricsPostgresUrl: string;
  readonly natsUrl: string;
  readonly nats: Pick<TestNats, 'access'>;
};

/** One process of a service on ports that stay the same. Nothing starts it again but the test. */
export type Replica = {
  /** `task-service-1` and so on. */
  readonly name: string;
  readonly httpUrl: string | undefined;
  readonly operationsUrl: string;
  readonly pid: () => number;
  /** Starts it; rejects when it runs. Resolves before it is ready. */
  start(): Promise<void>;
  /** Resolves when `/readyz` answers 200. */
  ready(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves when it has ended, rejects unless with exit status 0. */
  stop(): Promise<void>;
  /** Freezes it; connections stay open. */
  pause(): void;
  resume(): void;
  /** Ends it somehow, paused or not; for the end of a test. */
  close(): Promise<void>;
  /** The last lines of its log, those of earlier starts among them. */
  lastLines(count?: number): Promise<string>;
};

export type ReplicaOptions = {
  readonly definition: ServiceDefinition;
  readonly number: number;
  /** `logs` in it gets its log. */
  readonly directory: string;
  readonly servers: Servers;
  readonly environment: NodeJS.ProcessEnv;
};

/** Longer than the 20 s after which a service gives up its shutdown by itself. */
const STOP_DEADLINE_MS = 25_000;

/** Chooses ports and starts the process; `ready()` says when it can be used. */
export async function startReplica(options: ReplicaOptions): Promise<Replica> {
  const plan = await planReplica(options);
  const launch = () => startProcess(plan.process);
  let child: RunningProcess = await launch();
  return {
    name: plan.name,
    httpUrl: plan.httpUrl,
    operationsUrl: plan.operationsUrl,
    pid: () => child.pid,
    start: async () => {
      if (!child.hasExited()) throw new Error(`${plan.name} runs (pid ${child.pid}): stop or kill it first`);
      child = await launch();
    },
    ready: () => untilReady(plan, child, 30_000),
    kill: async () => {
      child.signal('SIGKILL');
      await child.exited;
    },
    stop: async () => {
      const { code, signal } = await child.stop({ deadlineMs: STOP_DEADLINE_MS });
      if (code === 0) return;
      const end = signal ?? `exit status ${code}`;
      throw new Error(`expected ${plan.name} to stop with exit status 0, but it ended with ${end}`);
    },
    pause: () => child.signal('SIGSTOP'),
    resume: () => child.signal('SIGCONT'),
    close: async () => {
      child.signal('SIGCONT');
      await child.stop();
    },
    lastLines: (count) => child.lastLines(count),
  };
}

async function planReplica(options: ReplicaOptions): Promise<ServicePlan> {
  const { definition, directory, servers, environment } = options;
  const plan = await planService(definition, {
    stack: { directory, ...servers },
    checkout: checkoutDirectory,
    ports: 'free',
    environment,
  });
  const name = `${plan.name}-${options.number}`;
  return {
    ...plan,
    name,
    process: { ...plan.process, name, logFile: join(directory, 'logs', `${name}.log`) },
  };
}
