import { KEY_PATTERN } from '@baton/contracts';
import { z } from 'zod';
import { LOG_LEVELS } from '../log-level.js';
import { setting } from './setting.js';

/** A port to listen on. Default: 0, any free one. */
export function portSetting(does: string, example: number) {
  return setting(z.coerce.number().int().min(0).max(65_535).default(0), {
    does,
    expected: 'a port from 0 to 65535, where 0 takes any free one',
    example: String(example),
  });
}

/** The address of a Postgres, with user and password. */
export function postgresSetting(does: string) {
  return setting(z.string().refine(isPostgresAddress), {
    does,
    expected: 'the address of a Postgres database, postgres://user:password@host:port/database',
    example: 'postgres://baton:password@db.example.org:5432/baton',
    secret: true,
  });
}

function isPostgresAddress(text: string): boolean {
  return /^postgres(ql)?:\/\//.test(text) && URL.canParse(text);
}

/** The content of a `.creds` file. */
export function natsCredentialsSetting(does: string) {
  return setting(z.string().includes('BEGIN NATS USER JWT').includes('USER NKEY SEED').optional(), {
    does,
    expected: 'the content of a .creds file of NATS',
    example: '-----BEGIN NATS USER JWT-----… -----BEGIN USER NKEY SEED-----…',
    secret: true,
  });
}

function milliseconds(byDefault: number, notes: { readonly does: string; readonly example: string }) {
  return setting(z.coerce.number().int().min(0).max(600_000).default(byDefault), {
    ...notes,
    expected: 'milliseconds from 0 to 600000',
  });
}

/** How often each of many may ask, over time; twice as much at once. */
export function rateSetting(byDefault: number, notes: { readonly does: string; readonly example: string }) {
  return setting(z.coerce.number().int().min(0).max(1_000_000).default(byDefault), {
    does: `${notes.does} Twice as many at once; counted by each replica for itself. Beyond it requests are refused with \`RATE_LIMITED\` (429).`,
    expected: 'requests for each second, up to 1000000, where 0 is no limit',
    example: notes.example,
  });
}

/** What a service with an HTTP API reads beside the others. */
export const httpSettings = {
  BATON_ADMIN_KEY: setting(z.string().regex(KEY_PATTERN).optional(), {
    does: 'The first API key, of an admin, with which the others are made (`POST /v1/keys`). Changed by a restart; without one, only keys made before are taken. metrics-service knows it from task-service too, as it knows all others, and needs it only to answer an admin while NATS is away.',
    expected: 'baton_ and 32 to 128 letters and digits, such as $(openssl rand -hex 32)',
    example: 'baton_b1946ac92492d2347c6235b4d2611184b1946ac92492d234',
    secret: true,
  }),
  BATON_HTTP_MAX_CONNECTIONS: setting(z.coerce.number().int().min(1).max(1_000_000).default(10_000), {
    does: 'How many connections the HTTP API holds; what comes beyond them is closed.',
    expected: 'a number from 1 to 1000000',
    example: '2000',
  }),
  BATON_RATE_KEY: rateSetting(10_000, {
    does: 'How many HTTP requests one API key may make in a second.',
    example: '50',
  }),
  BATON_RATE_ADDRESS: rateSetting(500, {
    does: 'How many HTTP requests one address may make in a second without a key that is known to be valid: with none, with a wrong one, or with one not shown for some seconds.',
    example: '20',
  }),
};

/** What every service process reads. */
export const serviceSettings = {
  NATS_URL: setting(
    z.string().refine((text) => text.split(',').every(isNatsAddress)),
    {
      does: 'Where NATS is; several servers of one cluster are separated by commas.',
      expected: 'addresses of NATS servers, nats://host:port or tls://host:port, without user and password',
      example: 'nats://nats.example.org:4222',
    },
  ),
  BATON_NATS_CREDENTIALS: natsCredentialsSetting('What the service logs in to NATS with.'),
  BATON_HTTP_HOST: setting(z.string().default('127.0.0.1'), {
    does: 'The address that the HTTP API listens on. 0.0.0.0 takes connections from other machines, as in a container.',
    expected: 'an address of this machine',
    example: '0.0.0.0',
  }),
  BATON_OPERATIONS_HOST: setting(z.string().default('127.0.0.1'), {
    does: 'The address that the operations port listens on, which asks for no key: let only those reach it who may see and set what is there.',
    expected: 'an address of this machine',
    example: '0.0.0.0',
  }),
  BATON_OPERATIONS_PORT: portSetting('The port of `/livez`, `/readyz` and `/metrics`.', 4100),
  BATON_LOG_LEVEL: setting(z.enum(LOG_LEVELS).default('info'), {
    does: 'The least severe lines that are logged; `PUT /loglevel` on the operations port changes it while the service runs.',
    expected: 'one of trace, debug, info, warn, error, fatal',
    example: 'debug',
  }),
  BATON_SHUTDOWN_DELAY_MS: milliseconds(0, {
    does: 'How long the service goes on as before after SIGTERM while `/readyz` answers 503 already, so that load balancers stop sending before it stops serving.',
    example: '5000',
  }),
  BATON_SHUTDOWN_DEADLINE_MS: milliseconds(20_000, {
    does: 'How long it may take after that delay to finish what is in work; what is left then is cut off, with exit status 1.',
    example: '30000',
  }),
};

/** The shape of `serviceSettings`, for schemas that extend it. */
export type ServiceSettings = typeof serviceSettings;

function isNatsAddress(text: string): boolean {
  const address = text.trim();
  const url = /^\w+:\/\//.test(address) ? address : `nats://${address}`;
  if (!/^(nats|tls):\/\/[^/]/.test(url) || !URL.canParse(url)) return false;
  const { hostname, username, password } = new URL(url);
  // The client would leave user and password out without a word.
  return hostname !== '' && username === '' && password === '';
}
