import { connect, type Socket } from 'node:net';
import { until } from '@baton/testkit';
import { fromSeed } from '@nats-io/nkeys';

/** The NATS protocol by hand: what is sent is what the test says, byte for byte. */
export type RawClient = {
  /** Sends lines, each ended by CRLF. */
  send(...lines: readonly string[]): void;
  /** Resolves with the line the server sends that fits, once it does. */
  heard(line: RegExp): Promise<string>;
  /** Everything it sent so far. */
  readonly text: () => string;
  /** Resolves when the server has handled all that was sent. */
  settled(): Promise<void>;
  readonly isClosed: () => boolean;
  close(): void;
};

/** Connects and waits for the greeting; logs in where credentials are given. */
export async function openRaw(port: number, credentials?: string): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  const client = clientOf(socket);
  const greeting = await client.heard(/^INFO .*/m);
  if (credentials === undefined) return client;
  client.send(`CONNECT ${JSON.stringify(login(credentials, greeting))}`);
  return client;
}

/** What a client proves who it is with: its JWT, and the server's nonce signed. */
function login(credentials: string, greeting: string): object {
  const { nonce } = JSON.parse(greeting.slice('INFO '.length)) as { readonly nonce: string };
  const [, jwt = ''] = /USER JWT-+\s+(\S+)/.exec(credentials) ?? [];
  const [, seed = ''] = /NKEY SEED-+\s+(\S+)/.exec(credentials) ?? [];
  const bytes = (text: string) => new TextEncoder().encode(text);
  const sig = Buffer.from(fromSeed(bytes(seed)).sign(bytes(nonce))).toString('base64url');
  return { jwt, sig, verbose: false, pedantic: false, headers: true, no_responders: true, protocol: 1 };
}

function clientOf(socket: Socket): RawClient {
  let text = '';
  let pongs = 0;
  let isClosed = false;
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    pongs += part.split('PONG\r\n').length - 1;
  });
  // A server that ends the connection may reset it.
  socket.on('error', () => undefined).on('close', () => (isClosed = true));
  return {
    send: (...lines) => void socket.write(lines.map((line) => `${line}\r\n`).join('')),
    heard: (line) => until(() => line.exec(text)?.[0], { describe: () => text }),
    text: () => text,
    settled: async () => {
      const before = pongs;
      socket.write('PING\r\n');
      await until(() => pongs > before || isClosed, { describe: () => text });
    },
    isClosed: () => isClosed,
    close: () => void socket.destroy(),
  };
}
