import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

import { portHolder } from './process/port-holder.js';
import { StackError } from './stack-error.js';

// Below the ephemeral range of Linux and macOS, so that no outgoing connection takes a port
// between our look at it and its use, or while the stack is down and remembers it.
const firstPort = 20_000;
const lastPort = 29_999;

// What this process was given before: whoever got a port may not listen on it yet.
const given = new Set<number>();

/** Why no server could listen on this port of 127.0.0.1 now: the system's error code; undefined when one could. */
async function portTrouble(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown'));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/**
 * A port of 127.0.0.1 on which nothing listens now, never the same twice; another process may still take it first.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(firstPort, lastPort + 1);
    if (given.has(port)) continue;
    given.add(port);
    if ((await portTrouble(port)) === undefined) return port;
  }
  throw new StackError(
    'PORT_TAKEN',
    `Expected a free port between ${firstPort} and ${lastPort} on 127.0.0.1, but 100 tries found none. ` +
      'Stop programs that hold many ports, or set the ports by hand (see README).',
  );
}

/** The port in an environment variable: undefined when it is not set, an error when it is no port. */
export function portFromEnvironment(environment: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = environment[name];
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new StackError(
    'INVALID_SETTING',
    `${name} must be a port number from 1 to 65535 (0 for any free one), but is ${JSON.stringify(text)}. Correct or unset it.`,
  );
}

/** Where a server may listen. */
export interface PortWish {
  /** The server, as messages call it. */
  readonly name: string;
  /** The environment variable that sets the port. */
  readonly variable: string;
  /** What that variable says: this port or none. */
  readonly configured?: number | undefined;
  /** The port of the last start, taken again when it is free. */
  readonly remembered?: number | undefined;
}

/** The configured port, else the remembered one when free, else any free one. */
export async function choosePort(wish: PortWish): Promise<number> {
  const { configured, remembered, name, variable } = wish;
  if (configured !== undefined && configured !== 0) {
    const trouble = await portTrouble(configured);
    if (trouble === undefined) return configured;
    throw await refusedPort(trouble, configured, { name, variable });
  }
  if (remembered !== undefined && (await portTrouble(remembered)) === undefined) return remembered;
  return findFreePort();
}

async function refusedPort(
  trouble: string,
  port: number,
  { name, variable }: Pick<PortWish, 'name' | 'variable'>,
): Promise<StackError> {
  if (trouble !== 'EADDRINUSE') {
    const message = `Port ${port} for ${name} may not be listened on (${trouble}). Set ${variable} to one above 1023.`;
    return new StackError('INVALID_SETTING', message);
  }
  const holder = await portHolder(port);
  return new StackError(
    'PORT_TAKEN',
    `Port ${port} for ${name} is in use on 127.0.0.1${holder === undefined ? '' : ` by ${holder}`}. ` +
      `Stop the program that listens there, or set ${variable} to another port.`,
  );
}
