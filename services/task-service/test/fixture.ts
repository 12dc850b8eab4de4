import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentOfSubject } from '@baton/contracts';
import { findFreePort, startProcess, type RunningProcess } from '@baton/stack';
import {
  ADMIN_KEY,
  asAdmin,
  connectAgent,
  connectOperator,
  createTestDatabase,
  serviceLogin,
  startNats,
  until,
  type TestNats,
} from '@baton/testkit';
import type { NatsConnection } from '@nats-io/transport-node';
import pg from 'pg';
import { expectDocumented, expectSpoken } from './documented.js';
import { migrate } from '../src/database/migrate.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** Answers of task-service, as loose as JSON is: tests say what they expect of them. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

export type Replica = {
  readonly process: RunningProcess;
  readonly httpUrl: string;
  readonly operationsUrl: string;
};

/** Real task-service processes on a real database and a real nats-server, and the means to talk to them. */
export type Fixture = {
  readonly nats: TestNats;
  /** A plain connection: what an agent or a distributor in any language has. */
  readonly connection: NatsConnection;
  readonly db: pg.Client;
  readonly databaseUrl: string;
  readonly replicas: readonly Replica[];
  /** Stops every replica, does `meanwhile`, and starts them again. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
  /** The connection of an agent, with its inbox. */
  connectionOf(agentId: string): Promise<NatsConnection>;
  /** A JSON request over NATS, or what is to stand for one. */
  ask(subject: string, body: unknown): Promise<Json>;
  /** A JSON request over HTTP, to the replicas in turn; whatever it is answered must be as the documents say. */
  http(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<HttpAnswer>;
  close(): Promise<void>;
};

export type HttpAnswer = { readonly status: number; readonly body: Json; readonly headers: Headers };

type FixtureOptions = { readonly replicas?: number; readonly environment?: Readonly<NodeJS.ProcessEnv> };

/** Starts the built service: `npm test` builds first. */
export async function startFixture({
  replicas: count = 1,
  environment = {},
}: FixtureOptions = {}): Promise<Fixture> {
  const [database, nats, directory] = await Promise.all([
    createTestDatabase({ schema: 'task_service', migrate: migrateEmpty }),
    startNats(),
    mkdtemp(join(tmpdir(), 'task-service-test-')),
  ]);
  const start = () =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        startReplica(join(directory, `${index}.log`), {
          BATON_ADMIN_KEY: ADMIN_KEY,
          ...environment,
          DATABASE_URL: database.url,
          ...serviceLogin(nats, 'task-service'),
        }),
      ),
    );
  let replicas = await start();
  const connection = await connectOperator(nats);
  const agents = new Map<string, Promise<NatsConnection>>();
  // Answers go only to the inbox of the agent that asked: each agent has a connection of its own.
  const connectionFor = (subject: string) =>
    subject.startsWith('agent.') ? connectionOf(agentOfSubject(subject)) : connection;
  const connectionOf = (id: string) => {
    const known = agents.get(id) ?? connectAgent(nats, id);
    agents.set(id, known);
    return known;
  };
  const db = new pg.Client({ connectionString: database.url });
  await db.connect();
  let turn = 0;
  return {
    nats,
    connection,
    db,
    databaseUrl: database.url,
    get replicas() {
      return replicas;
    },
    async restart(meanwhile) {
      await Promise.all(replicas.map((replica) => replica.process.stop()));
      await meanwhile();
      replicas = await start();
    },
    connectionOf,
    async ask(subject, body) {
      const asker = await connectionFor(subject);
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const answer: Json = (await asker.request(subject, text, { timeout: 5_000 })).json();
      expectSpoken(subject, answer);
      return answer;
    },
    async http(method, path, body, headers = {}) {
      turn += 1;
      const replica = replicas[turn % replicas.length];
      const response = await fetch(`${replica?.httpUrl}${path}`, {
        method,
        headers: {
          ...asAdmin,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const answer = text === '' ? undefined : JSON.parse(text);
      expectDocumented(method, path, response.status, answer);
      return { status: response.status, body: answer, headers: response.headers };
    },
    async close() {
      await Promise.all([connection, ...agents.values()].map(async (one) => (await one).close()));
      await db.end();
      await Promise.all(replicas.map((replica) => replica.process.stop()));
      await database.close();
      await nats.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startReplica(logFile: string, environment: Readonly<NodeJS.ProcessEnv>): Promise<Replica> {
  const [http, operations] = [await findFreePort(), await findFreePort()];
  const child = await startProcess({
    name: 'task-service',
    command: process.execPath,
    arguments: [MAIN],
    logFile,
    environment: {
      ...process.env,
      ...environment,
      BATON_HTTP_PORT: String(http),
      BATON_OPERATIONS_PORT: String(operations),
    },
  });
  const isReady = async () => {
    if (child.hasExited()) throw new Error(`task-service ended: ${await child.lastLines()}`);
    return (await fetch(`http://127.0.0.1:${operations}/readyz`)).ok;
  };
  await until(isReady, { timeoutMs: 15_000, describe: () => child.lastLines() });
  return {
    process: child,
    httpUrl: `http://127.0.0.1:${http}`,
    operationsUrl: `http://127.0.0.1:${operations}`,
  };
}

/** Brings an empty database to the service's schema. */
export async function migrateEmpty(url: string): Promise<void> {
  await migrate(url, { tell: () => undefined, signal: new AbortController().signal });
}
