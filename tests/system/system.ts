import { chmod, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { batonServices } from '@baton/stack';
import {
  ADMIN_KEY,
  startNats,
  startPostgres,
  type TestNats,
  type TestPostgres,
  type Wire,
} from '@baton/testkit';
import pg from 'pg';
import { sendHttp, type HttpAnswer, type HttpRequest } from './http.js';
import { startReplica, type Replica, type Servers } from './replica.js';

export type SystemOptions = {
  /** How many task-services; 1 when left out. */
  readonly tasks?: number;
  /** How many distribution-services; 1 when left out. */
  readonly distributions?: number;
  /** How many metrics-services; 1 when left out. */
  readonly metrics?: number;
  /** For all services, beside what they inherit. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Opens a wire to the server at that address, through which the services reach it; agents and tests do not. */
  readonly via?: {
    readonly postgres?: (url: string) => Promise<Wire>;
    readonly nats?: (url: string) => Promise<Wire>;
  };
};

/** A whole Baton for one test: servers and processes of its own, each of which can be taken away. */
export type System = {
  readonly postgres: TestPostgres;
  readonly nats: TestNats;
  readonly tasks: readonly Replica[];
  readonly distributions: readonly Replica[];
  readonly metrics: readonly Replica[];
  /** All replicas of all services. */
  readonly replicas: readonly Replica[];
  /** Asks task-service, its first replica unless another is named. Rejects when no answer comes. */
  http(request: HttpRequest, replica?: Replica): Promise<HttpAnswer>;
  /** Asks the database as the superuser; a connection lost with the server is made again. */
  readonly query: <Row extends pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ) => Promise<Row[]>;
  /** The last lines of every log. */
  lastLines(): Promise<string>;
  /** Stops everything and removes its files; the logs are kept, and where is said, when asked for. */
  close(options?: { readonly logs?: 'kept' | 'removed' }): Promise<string>;
};

/** A test that takes longer hangs. Alone on a small machine most take 10 s to 30 s, its start among them. */
const TEST_LIMIT_MS = 200_000;

/** Runs a test on a system of its own; when it fails or hangs, the error shows the end of every log. */
export async function withSystem(
  options: SystemOptions,
  test: (system: System) => Promise<void>,
): Promise<void> {
  const system = await startSystem(options);
  const tested = new AbortController();
  try {
    await Promise.race([test(system), rejectAfter(TEST_LIMIT_MS, tested.signal)]);
    await expectNothingRefused(system);
  } catch (error) {
    const lines = await system.lastLines();
    const logs = await system.close({ logs: 'kept' });
    if (error instanceof Error) error.message += `\n\nThe logs are in ${logs} and end with:\n${lines}`;
    throw error;
  } finally {
    tested.abort();
  }
  await system.close();
}

/** What NATS does not let a service do is retried, or given up, without a sign to the outside. */
async function expectNothingRefused({ replicas }: System): Promise<void> {
  for (const replica of replicas) {
    const [refusal] = /Permissions Violation for [^,]*/.exec(await replica.lastLines(1_000_000)) ?? [];
    if (refusal !== undefined) throw new Error(`NATS refused ${replica.name} something: ${refusal}`);
  }
}

/** Jest would give up waiting, but leave everything running. */
async function rejectAfter(limitMs: number, signal: AbortSignal): Promise<void> {
  await delay(limitMs, undefined, { signal }).catch(() => undefined);
  if (!signal.aborted) throw new Error(`the test was not done within ${limitMs / 1_000} s`);
}

/** Starts Postgres, nats-server and the services, and waits until all are ready: some 4 s. */
export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const undo: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (let next = undo.pop(); next !== undefined; next = undo.pop()) await next();
  };
  try {
    return await start(options, undo, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: SystemOptions,
  undo: (() => Promise<unknown>)[],
  stopAll: () => Promise<void>,
): Promise<System> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-system-'));
  undo.push(() => rm(directory, { recursive: true, force: true }));
  // Postgres may run as another user, who must be able to pass through.
  await chmod(directory, 0o711);
  const logs = join(directory, 'logs');
  const at = (name: string) => ({ directory: join(directory, name), logFile: join(logs, `${name}.log`) });
  const postgres = await startPostgres(at('postgres'));
  undo.push(() => postgres.close());
  const nats = await startNats(at('nats'));
  undo.push(() => nats.close());

  const servers = await throughWires(options, { postgres, nats }, undo);
  const environment = { ...ownEnvironment(), BATON_ADMIN_KEY: ADMIN_KEY, ...options.environment };
  const replicas: Replica[] = [];
  const startAll = async (service: string, count = 1): Promise<readonly Replica[]> => {
    const definition = batonServices.find(({ name }) => name === service);
    if (definition === undefined) throw new Error(`no service ${service}`);
    const first = replicas.length;
    for (let number = 1; number <= count; number += 1) {
      const replica = await startReplica({ definition, number, directory, servers, environment });
      replicas.push(replica);
      undo.push(() => replica.close());
    }
    return replicas.slice(first);
  };
  const tasks = await startAll('task-service', options.tasks);
  const metrics = await startAll('metrics-service', options.metrics);
  const distributions = await startAll('distribution-service', options.distributions);
  await Promise.all(replicas.map((replica) => replica.ready()));

  const pool = new pg.Pool({ connectionString: inDatabaseOf(postgres), max: 4, application_name: 'test' });
  pool.on('error', () => undefined);
  undo.push(() => pool.end());
  return {
    postgres,
    nats,
    tasks,
    distributions,
    metrics,
    replicas,
    http: (request, replica = tasks[0]) => sendHttp(`${replica?.httpUrl}/v1`, request),
    query: async (text, values = []) => (await pool.query(text, [...values])).rows,
    lastLines: async () =>
      (await Promise.all(replicas.map(async (one) => `--- ${one.name}\n${await one.lastLines(12)}`))).join(
        '\n',
      ),
    close: async ({ logs: wanted = 'removed' } = {}) => {
      const kept = await mkdtemp(join(tmpdir(), 'baton-failed-'));
      await (wanted === 'kept' ? rename(logs, kept) : rm(kept, { recursive: true }));
      await stopAll();
      return kept;
    },
  };
}

async function throughWires(
  { via }: SystemOptions,
  { postgres, nats }: { readonly postgres: TestPostgres; readonly nats: TestNats },
  undo: (() => Promise<unknown>)[],
): Promise<Servers> {
  const toPostgres = await via?.postgres?.(postgres.url);
  const toNats = await via?.nats?.(nats.url);
  for (const wire of [toPostgres, toNats]) if (wire !== undefined) undo.push(() => wire.close());
  return {
    postgresUrl: atPort(postgres.url, toPostgres?.port),
    metricsPostgresUrl: atPort(postgres.metricsUrl, toPostgres?.port),
    natsUrl: atPort(nats.url, toNats?.port),
    nats,
  };
}

function atPort(address: string, port: number | undefined): string {
  if (port === undefined) return address;
  const url = new URL(address);
  url.port = String(port);
  return url.href;
}

/** The superuser's address, in the database of the services. */
function inDatabaseOf(postgres: TestPostgres): string {
  const url = new URL(postgres.superuserUrl);
  url.pathname = new URL(postgres.url).pathname;
  return url.href;
}

/** Without settings of the developer's own: they must never lead a test to other servers. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(DATABASE_URL|NATS_URL|BATON_.*)$/.test(name),
  );
  return Object.fromEntries(inherited);
}
