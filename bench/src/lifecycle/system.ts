import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  checkoutState,
  chosenState,
  findNatsServer,
  startProcess,
  startServices,
  startStack,
  type RunningProcess,
  type Services,
  type Stack,
  type Session,
} from '@baton/stack';
import { agentIds } from './task.js';
import type { Accounted } from '../measure/cpu.js';
import { enableStatements } from '../profile/statements.js';

/** What runs for the benchmark, each part a process of its own. */
export type System = {
  readonly directory: string;
  /** With an API key as its user. */
  readonly tasksUrl: string;
  /** The superuser's, into the database of task-service: only it sees all statistics. */
  readonly postgresUrl: string;
  readonly nats: NonNullable<Stack['nats']>;
  readonly natsVersion: string;
  /** The processes that run JavaScript, this one (the load) among them. */
  readonly processes: () => readonly Accounted[];
  /** Rejects when a service or the agents end in the middle; says what they wrote last. */
  readonly failure: Promise<never>;
  /** The last lines of each log, for the reader of a failure: the logs are removed with the rest. */
  lastLines(): Promise<string>;
};

export type SystemOptions = {
  readonly agents: number;
  readonly slots: number;
  /** Where profiles go; undefined when none are taken. */
  readonly profile: string | undefined;
  readonly session: Session;
  readonly report: (line: string) => void;
};

const agentsProgram = fileURLToPath(new URL('../agents.js', import.meta.url));
const profiler = new URL('../profile/preload.js', import.meta.url);

/** Starts a fresh durable stack, the services and the agents on free ports; the session's end removes everything. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { session, report } = options;
  // Beside the ordinary state and not in the system's temporary directory, which may lie in memory.
  const state = chosenState();
  await mkdir(state, { recursive: true });
  const directory = await mkdtemp(join(state, 'bench-'));
  session.onEnd(() => rm(directory, { recursive: true, force: true }));
  const environment = ownEnvironment(options.profile);
  const binaries = join(checkoutState, 'bin');

  const stack = await start();
  // The one that was just started; asked again for its version alone.
  const { version: natsVersion } = await findNatsServer({ environment, binaries, report: () => undefined });
  const services = await startServices({ stack, environment, ports: 'free', report });
  session.onEnd(() => services.stop());
  const agents = await startProcess({
    name: 'agents',
    command: process.execPath,
    arguments: ['--enable-source-maps', agentsProgram, String(options.agents), String(options.slots)],
    environment: {
      ...environment,
      NATS_URL: stack.natsUrl,
      BATON_NATS_CREDENTIALS_FILE: await stack.nats?.access.agentFiles(agentIds(options.agents)),
    },
    logFile: join(directory, 'logs', 'agents.log'),
  });
  session.onEnd(async () => void (await agents.stop()));
  await stack.track(agents);
  return describeSystem({ directory, stack, services, agents, natsVersion });

  async function start(): Promise<Stack> {
    const stackOptions = { directory, binaries, environment };
    const first = await startStack({ ...stackOptions, report });
    if (options.profile === undefined) {
      session.onEnd(() => first.stop());
      return first;
    }
    // The library that counts statements is loaded when Postgres starts.
    try {
      await enableStatements(superuserUrl(first));
    } finally {
      await first.stop();
    }
    const second = await startStack(stackOptions);
    session.onEnd(() => second.stop());
    return second;
  }
}

type Parts = {
  readonly directory: string;
  readonly stack: Stack;
  readonly services: Services;
  readonly agents: RunningProcess;
  readonly natsVersion: string;
};

function describeSystem({ directory, stack, services, agents, natsVersion }: Parts): System {
  const children = [...services.list.map((service) => service.current()), agents];
  const failure = Promise.race(children.map(rejectAtEnd));
  // They all end when the benchmark does, and nobody listens any more.
  failure.catch(() => undefined);
  return {
    directory,
    tasksUrl: withKey(`${services.get('task-service').httpUrl}/v1/tasks`, stack.adminKey),
    postgresUrl: superuserUrl(stack),
    nats: natsOf(stack),
    natsVersion,
    processes: () => [
      ...children.map(({ name, pid }) => ({ name, pid })),
      { name: 'load', pid: process.pid },
    ],
    failure,
    async lastLines() {
      const logs = children.map(async (child) => `--- ${child.name}\n${await child.lastLines(8)}`);
      return (await Promise.all(logs)).join('\n');
    },
  };
}

function natsOf({ nats }: Stack): NonNullable<Stack['nats']> {
  if (nats === undefined) throw new Error('a benchmark runs on a nats-server of its own');
  return nats;
}

function withKey(address: string, key: string): string {
  const url = new URL(address);
  url.username = key;
  return url.href;
}

function superuserUrl({ postgresUrl, superuserPostgresUrl }: Stack): string {
  const url = new URL(superuserPostgresUrl ?? postgresUrl);
  url.pathname = new URL(postgresUrl).pathname;
  return url.href;
}

async function rejectAtEnd(child: RunningProcess): Promise<never> {
  const { code, signal } = await child.exited;
  throw new Error(
    `${child.name} ended (${signal ?? `exit code ${code}`}) in the middle of the benchmark. ` +
      'What it wrote last is above.',
  );
}

/** Without what would lead to servers or ports of the user's own. */
function ownEnvironment(profile: string | undefined): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^((DATABASE_URL|BATON_METRICS_DATABASE_URL)(_FILE)?|NATS_URL|BATON_.*_(PORT|CREDENTIALS(_FILE)?))$/.test(
        name,
      ),
  );
  const environment = { ...Object.fromEntries(inherited), BATON_LOG_LEVEL: 'warn' };
  if (profile === undefined) return environment;
  const nodeOptions = `${process.env['NODE_OPTIONS'] ?? ''} --import=${pathToFileURL(fileURLToPath(profiler)).href}`;
  return { ...environment, NODE_OPTIONS: nodeOptions.trim(), BENCH_PROFILES: profile };
}
