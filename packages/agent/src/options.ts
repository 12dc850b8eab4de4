import { randomUUID } from 'node:crypto';
import { agentId, announcement, DomainError, parse, type Capability, type Hello } from '@baton/contracts';
import { DEFAULT_SERVERS } from './connection.js';
import { createCredentials, type Credentials, type CredentialsSource } from './credentials.js';
import { quietLogger, type AgentLogger } from './logger.js';
import type { TaskHandler } from './context.js';

export type AgentOptions = {
  /** 1 to 64 of `A-Za-z0-9_-`. One process at a time may be this agent. */
  readonly id: string;
  /** What the agent can do; a bare name means level 1. */
  readonly capabilities?: readonly (string | { readonly name: string; readonly level?: number })[];
  /** Handlers at work at once. Default: 5. */
  readonly maxConcurrent?: number;
  /** Assignments taken beyond that, 0 to 2: worth it where a task is as short as a round trip. Default: 0. */
  readonly prefetch?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** NATS URLs, separated by commas. Default: the variable `NATS_URL`, else `nats://127.0.0.1:4222`. */
  readonly servers?: string;
  /**
   * What it logs in to NATS with: the text of a `.creds` file, such a file (`{ file }`, or a folder with `<id>.creds`),
   * or a function that gives the text. File and function are asked again before the credentials expire.
   * Default: the file or folder that the variable `BATON_NATS_CREDENTIALS_FILE` names.
   */
  readonly credentials?: CredentialsSource;
  readonly handler: TaskHandler;
  /** Default: warnings and errors, to stderr. */
  readonly logger?: AgentLogger;
};

export type AgentSettings = {
  readonly id: string;
  readonly servers: string;
  readonly credentials: Credentials | undefined;
  readonly logger: AgentLogger;
  readonly handler: TaskHandler;
  readonly capabilities: Capability[];
  readonly maxConcurrent: number;
  readonly prefetch: number;
  /** A hello without `running`; `instance` names this process's life, over all reconnects. */
  readonly hello: Omit<Hello, 'running'>;
};

/** Checks what the user said, once; throws `VALIDATION_FAILED` naming what is wrong. */
export function readOptions(options: AgentOptions): AgentSettings {
  const { capabilities = [], maxConcurrent, prefetch, labels } = options;
  if (!Array.isArray(capabilities)) {
    const message = `createAgent: expected capabilities to be a list, got ${typeof capabilities}; write ['summarise']`;
    throw new DomainError('VALIDATION_FAILED', message);
  }
  if (typeof options.handler !== 'function') {
    const message = `createAgent: expected handler to be a function (task, context), got ${typeof options.handler}`;
    throw new DomainError('VALIDATION_FAILED', message);
  }
  const announced = parse(
    announcement,
    { capabilities: capabilities.map(toCapability), maxConcurrent, prefetch, labels },
    'createAgent',
  );
  const id = parse(agentId, options.id, 'createAgent: id');
  const logger = options.logger ?? quietLogger;
  const source = options.credentials ?? credentialsFile();
  return {
    id,
    servers: checkServers(options.servers ?? (process.env['NATS_URL'] || DEFAULT_SERVERS)),
    credentials: source === undefined ? undefined : createCredentials(id, source, logger),
    logger,
    handler: options.handler,
    ...announced,
    hello: { ...announced, instance: randomUUID(), startedAt: new Date().toISOString() },
  };
}

function credentialsFile(): CredentialsSource | undefined {
  const file = process.env['BATON_NATS_CREDENTIALS_FILE'];
  return file ? { file } : undefined;
}

/** An address that can never be reached must not be tried for ever. */
function checkServers(servers: string): string {
  for (const server of servers.split(',').map((part) => part.trim())) {
    const url = server.includes('://') ? server : `nats://${server}`;
    if (URL.canParse(url) && isServer(new URL(url))) continue;
    const shown = JSON.stringify(server.replace(/^(\w+:\/\/)?.*@/s, '$1(hidden)@'));
    const message = `createAgent: expected servers (NATS_URL) such as nats://127.0.0.1:4222, got ${shown}`;
    const advice = server.includes('@')
      ? '; leave out user and password: agents log in with credentials'
      : '';
    throw new DomainError('VALIDATION_FAILED', message + advice);
  }
  return servers;
}

/** The client would leave user and password out without a word. */
function isServer({ protocol, username, password }: URL): boolean {
  return /^(nats|tls):$/.test(protocol) && username === '' && password === '';
}

function toCapability(capability: string | { readonly name: string; readonly level?: number }): object {
  return typeof capability === 'string' ? { name: capability } : capability;
}
