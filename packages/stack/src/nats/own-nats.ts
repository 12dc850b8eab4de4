import { connect } from 'node:net';

import { StackError } from '../stack-error.js';
import { isRecentEnough, tooOld } from './version.js';

// What task-service asks for before it is ready; nats-server has 1 MiB unless told.
const leastPayloadBytes = 2 * 1024 * 1024;

/** What a nats-server says about itself to everyone who connects. */
export interface NatsServerInfo {
  readonly version: string;
  readonly jetstream?: boolean;
  readonly auth_required?: boolean;
  readonly max_payload?: number;
}

/** Connects and reads the greeting; rejects when none comes within 3 s. */
export function readServerInfo(host: string, port: number): Promise<NatsServerInfo> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 3_000 });
    let greeting = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      greeting += text;
      const end = greeting.indexOf('\r\n');
      if (end === -1) return;
      socket.destroy();
      if (greeting.startsWith('INFO ')) resolve(JSON.parse(greeting.slice(5, end)) as NatsServerInfo);
      else reject(new Error('it does not speak the NATS protocol'));
    });
    socket.on('timeout', () => socket.destroy(new Error('no answer within 3 s')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('it closed the connection')));
  });
}

/** Makes sure that one of the servers in NATS_URL answers and will do; returns its version. */
export async function checkOwnNats(natsUrl: string): Promise<string> {
  const reasons: string[] = [];
  for (const address of natsUrl.split(',').map((part) => part.trim())) {
    const url = parseAddress(address);
    const info = await readServerInfo(url.hostname, Number(url.port || 4222)).catch((cause: Error) => {
      reasons.push(`${url.host}: ${cause.message || (cause as NodeJS.ErrnoException).code}`);
    });
    if (info === undefined) continue;
    if (!isRecentEnough(info.version)) {
      throw tooOld(`NATS_URL (${url.host})`, info.version, 'Upgrade it, or unset NATS_URL.');
    }
    const problem = problemOf(info);
    if (problem === undefined) return info.version;
    throw new StackError(
      'NATS_UNREACHABLE',
      `The server of NATS_URL (${url.host}) ${problem}, or unset NATS_URL to use the embedded one.`,
    );
  }
  throw new StackError(
    'NATS_UNREACHABLE',
    `NATS_URL is set, but none of its servers answers (${reasons.join('; ')}). ` +
      'Start that server or correct the address, or unset NATS_URL to use the embedded one.',
  );
}

function problemOf(info: NatsServerInfo): string | undefined {
  if (info.jetstream !== true) {
    return 'runs without JetStream. Start it with "jetstream {}" in its configuration (or the flag -js)';
  }
  if (info.auth_required === true) {
    return 'asks for a login, and Baton has none to give. Let it run without authorization, on loopback';
  }
  const { max_payload: limit = 0 } = info;
  if (limit >= leastPayloadBytes) return undefined;
  return `takes messages of ${limit} bytes at most. Set "max_payload: 8MB" in its configuration`;
}

function parseAddress(address: string): URL {
  const text = address.includes('://') ? address : `nats://${address}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && url.username + url.password !== '') {
    throw new StackError(
      'INVALID_SETTING',
      'NATS_URL has a user or a password, and Baton logs in to NATS with neither. ' +
        'Leave them out and let that server run without authorization, on loopback.',
    );
  }
  if (url !== undefined && /^(nats|tls):$/.test(url.protocol)) return url;
  throw new StackError(
    'INVALID_SETTING',
    'NATS_URL must look like nats://host:4222 (several separated by commas), but does not. ' +
      'Correct it, or unset it to use the embedded nats-server.',
  );
}
