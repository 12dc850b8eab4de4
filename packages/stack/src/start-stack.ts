import type { NatsServer } from './nats/nats-server.js';
import type { Durability } from './postgres/server-flags.js';
import type { RunningProcess } from './process/start-process.js';
import { supervise, type Supervised } from './process/supervise.js';
import {
  startNats,
  startPostgres,
  type Context,
  type NatsPart,
  type Part,
  type PostgresPart,
} from './servers.js';
import { adminKey } from './state/admin-key.js';
import { explainFileTrouble } from './state/file-trouble.js';
import { readJson, writeJson } from './state/json-file.js';
import { takeRunRecord, type RunRecord } from './state/run-record.js';
import {
  createStateDirectory,
  programsDirectory,
  stateDirectory,
  type StateDirectory,
} from './state/state-directory.js';

/** How to start a stack; everything may be left out. */
export interface StackOptions {
  /** Where state is kept; `.baton` in the current directory when left out. */
  readonly directory?: string;
  /** Where a nats-server program is looked for and kept; with the checkout when left out. */
  readonly binaries?: string;
  /** The environment to read settings from; that of the process when left out. */
  readonly environment?: NodeJS.ProcessEnv;
  /** `throwaway` gives up safety for speed, for tests; `durable` when left out. */
  readonly durability?: Durability;
  /** Told about each step, one line each. */
  readonly report?: (line: string) => void;
}

/** A Postgres and a nats-server to work with: ours, or the user's own. */
export interface Stack {
  /** Where state and logs are kept. */
  readonly directory: string;
  readonly postgresUrl: string;
  /** For metrics-service: a role that owns the schema `metrics` alone. */
  readonly metricsPostgresUrl: string;
  /** The superuser of the embedded Postgres; undefined for a Postgres of the user's own. */
  readonly superuserPostgresUrl: string | undefined;
  readonly natsUrl: string;
  /** How to log in to the embedded nats-server; undefined for one of the user's own. */
  readonly nats: Pick<NatsServer, 'url' | 'access'> | undefined;
  /** The first API key of task-service, an admin's, and where it is kept unless the environment gives it. */
  readonly adminKey: string;
  readonly adminKeyFile: string | undefined;
  /** Records a child process of the caller, so that the next start stops it should this process be killed. */
  track(child: RunningProcess): Promise<void>;
  /** Adds an address to what a refused second start prints. */
  announce(address: string): Promise<void>;
  /** What runs where, one line each, without passwords. */
  describe(): readonly string[];
  /** Stops what was started here, the message server first; may be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts Postgres and nats-server, or checks those that DATABASE_URL and NATS_URL name. Only one stack
 * runs in a directory at a time. Rejects with a StackError that says what to do.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const state = stateDirectory(options.directory);
  return startIn(state, options).catch((cause: unknown) => {
    throw explainFileTrouble(cause, state.path);
  });
}

async function startIn(state: StateDirectory, options: StackOptions): Promise<Stack> {
  const report = options.report ?? (() => undefined);
  await createStateDirectory(state);
  const record = await takeRunRecord(state.runFile, report);
  try {
    const context: Context = {
      state,
      binaries: options.binaries ?? (await programsDirectory(state)),
      environment: options.environment ?? process.env,
      durability: options.durability ?? 'durable',
      report,
      track: record.track,
      admin: await adminKey(options.environment ?? process.env, state.adminKeyFile),
      remembered: (await readJson<Context['remembered']>(state.portsFile)) ?? {},
    };
    return await startParts(context, record);
  } catch (cause) {
    await record.release();
    throw cause;
  }
}

async function startParts(context: Context, record: RunRecord): Promise<Stack> {
  // Both settle before either failure is acted on, so that nothing still starts while we clean up.
  const [postgres, nats] = await Promise.allSettled([startPostgres(context), startNats(context)]);
  if (postgres.status === 'fulfilled' && nats.status === 'fulfilled') {
    const ports = { postgres: postgres.value.port, nats: nats.value.port };
    await writeJson(context.state.portsFile, { ...context.remembered, ...ports });
    return runningStack(context, record, postgres.value, nats.value);
  }
  for (const part of [nats, postgres]) {
    if (part.status === 'fulfilled') await part.value.own?.process.stop();
  }
  throw (postgres.status === 'rejected' ? postgres : (nats as PromiseRejectedResult)).reason;
}

async function runningStack(
  context: Context,
  record: RunRecord,
  postgres: PostgresPart,
  nats: NatsPart,
): Promise<Stack> {
  const announced: string[] = [];
  const supervised = { postgres: superviseServer(postgres), nats: superviseServer(nats) };
  const describe = (): readonly string[] => [
    withPid(postgres, supervised.postgres),
    withPid(nats, supervised.nats),
    ...announced,
  ];
  await record.announce(describe());
  const stopAll = async (): Promise<void> => {
    await supervised.nats?.stop();
    // Postgres writes everything out before it ends, which takes its time after much work.
    await supervised.postgres?.stop({ deadlineMs: 60_000 });
    await record.release();
  };
  let stopping: Promise<void> | undefined;
  return {
    directory: context.state.path,
    postgresUrl: postgres.url,
    metricsPostgresUrl: postgres.metricsUrl,
    superuserPostgresUrl: postgres.superuserUrl,
    natsUrl: nats.url,
    nats: nats.access && { url: nats.url, access: nats.access },
    adminKey: context.admin.key,
    adminKeyFile: context.admin.file,
    track: record.track,
    announce: async (address) => {
      announced.push(address);
      await record.announce(describe());
    },
    describe,
    stop: () => (stopping ??= stopAll()),
  };

  function superviseServer({ own }: Part): Supervised | undefined {
    if (own === undefined) return undefined;
    const { process: first, startAgain } = own;
    return supervise({ name: first.name, first, startAgain, report: context.report });
  }
}

function withPid({ description }: Part, server: Supervised | undefined): string {
  return server === undefined ? description : `${description} (embedded, pid ${server.current().pid})`;
}
