import { readFileSync } from 'node:fs';

import { batonServices } from './services/service-definition.js';
import { StackError } from './stack-error.js';

/** An environment variable that the stack reads, as docs/configuration.md and `.env.example` show it. */
export interface SettingDescription {
  readonly name: string;
  readonly does: string;
  readonly expected: string;
  readonly example: string;
  /** Undefined when there is none. */
  readonly default: string | undefined;
  /** May stand in a file that `<NAME>_FILE` names. */
  readonly secret: boolean;
}

const port = 'a port from 1 to 65535, or 0 for any free one';
const postgresAddress = 'the address of a Postgres database, postgres://user:password@host:port/database';

/** The settings of `npm start` and `npm run demo`, beside those of the services, which are handed on to them. */
export const stackSettings: readonly SettingDescription[] = [
  {
    name: 'DATABASE_URL',
    does: 'A Postgres of your own instead of the embedded one.',
    expected: postgresAddress,
    example: 'postgres://baton:password@127.0.0.1:5432/baton',
    default: undefined,
    secret: true,
  },
  {
    name: 'BATON_METRICS_DATABASE_URL',
    does: 'What metrics-service gets as its `DATABASE_URL` when `DATABASE_URL` is set: a role of its own.',
    expected: postgresAddress,
    example: 'postgres://baton_metrics:password@127.0.0.1:5432/baton',
    default: 'the value of DATABASE_URL',
    secret: true,
  },
  {
    name: 'BATON_ADMIN_KEY',
    does: 'The first API key, of an admin, instead of one made at the first start and kept in `admin-key` of the state.',
    expected: 'baton_ and 32 to 128 letters and digits',
    example: 'baton_b1946ac92492d2347c6235b4d2611184b1946ac92492d234',
    default: 'the one in the file',
    secret: true,
  },
  {
    name: 'NATS_URL',
    does: 'A nats-server of your own, with JetStream and `max_payload: 8MB`, instead of the embedded one.',
    expected: 'addresses of NATS servers, nats://host:port or tls://host:port, without user and password',
    example: 'nats://127.0.0.1:4222',
    default: undefined,
    secret: false,
  },
  {
    name: 'NATS_SERVER_BIN',
    does: 'The nats-server program to run; otherwise one is looked for on PATH, and fetched when there is none.',
    expected: 'the path of a nats-server, version 2.10 or newer',
    example: '/usr/local/bin/nats-server',
    default: undefined,
    secret: false,
  },
  {
    name: 'BATON_DIRECTORY',
    does: 'Where state, logs and passwords are kept.',
    expected: 'a directory; made when it is missing',
    example: '/var/lib/baton',
    default: '.baton in the checkout',
    secret: false,
  },
  ...['Postgres', 'NATS'].map((server) => ({
    name: `BATON_${server.toUpperCase()}_PORT`,
    does: `The port of the embedded ${server}.`,
    expected: port,
    example: server === 'Postgres' ? '5433' : '4223',
    default: 'any free one, then the same',
    secret: false,
  })),
  ...batonServices.flatMap(({ name, http, operations }) => [
    ...(http === undefined ? [] : [portOf(`The HTTP port of ${name}.`, http)]),
    portOf(`The operations port of ${name} (\`/livez\`, \`/readyz\`, \`/metrics\`).`, operations),
  ]),
];

function portOf(
  does: string,
  { variable, standard }: { readonly variable: string; readonly standard: number },
): SettingDescription {
  const example = String(standard + 1000);
  return { name: variable, does, expected: port, example, default: String(standard), secret: false };
}

/** A secret of the environment, given as it is or in the file that `<name>_FILE` names. */
export function readSecret(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = environment[name] || undefined;
  const file = environment[`${name}_FILE`] || undefined;
  if (file === undefined) return value;
  if (value !== undefined) {
    const message = `${name} and ${name}_FILE are both set. Unset one of them.`;
    throw new StackError('INVALID_SETTING', message);
  }
  const content = readOrThrow(file, name);
  if (content !== '') return content;
  throw new StackError(
    'INVALID_SETTING',
    `The file ${file} of ${name}_FILE is empty. Write the value into it.`,
  );
}

function readOrThrow(file: string, name: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    const message = `The file ${file} of ${name}_FILE cannot be read (${(cause as NodeJS.ErrnoException).code}). Correct the path or its rights.`;
    throw new StackError('INVALID_SETTING', message, { cause });
  }
}
