import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

import { commandLine } from './identity.js';

const run = promisify(execFile);
const shownCharacters = 120;

/** The process that listens on a TCP port, as `process 123 (its command)`; undefined when the system does not tell. */
export async function portHolder(port: number): Promise<string | undefined> {
  const pid = process.platform === 'linux' ? await holderOnLinux(port) : await holderByLsof(port);
  if (pid === undefined) return undefined;
  const command = (await commandLine(pid)).slice(0, shownCharacters);
  return `process ${pid}${command === '' ? '' : ` (${command})`}`;
}

async function holderOnLinux(port: number): Promise<number | undefined> {
  const sockets = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      const isListening = state === '0A' && Number.parseInt(local.split(':')[1] ?? '', 16) === port;
      if (isListening && inode !== undefined) sockets.add(`socket:[${inode}]`);
    }
  }
  if (sockets.size === 0) return undefined;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // Those of other users may not be looked at.
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      if (sockets.has(target)) return Number(pid);
    }
  }
  return undefined;
}

async function holderByLsof(port: number): Promise<number | undefined> {
  return run('lsof', ['-nP', '-t', `-iTCP:${port}`, '-sTCP:LISTEN']).then(
    ({ stdout }) => Number(stdout.split('\n')[0]) || undefined,
    () => undefined,
  );
}
