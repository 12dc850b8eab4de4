import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const pinnedVersion = '2.15.1';
const releases = 'https://github.com/nats-io/nats-server/releases/download';

/** Which archive to fetch, and where to put it. */
export interface ReleaseRequest {
  readonly into: string;
  readonly version?: string;
  /** The address the folders of the versions lie under. */
  readonly baseUrl?: string;
}

/**
 * Downloads the release archive for this system, checks it against the release's own list of SHA-256
 * sums and unpacks it. Returns the program; rejects with a reason that fits in a list.
 */
export async function fetchRelease(request: ReleaseRequest): Promise<string> {
  const { into, version = pinnedVersion, baseUrl = releases } = request;
  const folder = `nats-server-v${version}-${systemName()}-${machineName()}`;
  const archive = `${folder}.tar.gz`;
  const expected = await expectedSum(`${baseUrl}/v${version}/SHA256SUMS`, archive);
  const content = await download(`${baseUrl}/v${version}/${archive}`, 120_000);
  const sum = createHash('sha256').update(content).digest('hex');
  if (sum !== expected) throw new Error(`${archive} has SHA-256 ${sum}, but SHA256SUMS says ${expected}`);
  await writeFile(join(into, archive), content);
  await run('tar', ['-xzf', archive], { cwd: into });
  return join(into, folder, 'nats-server');
}

async function expectedSum(url: string, archive: string): Promise<string> {
  // Short, because a machine without internet should get on to the next source at once.
  const sums = (await download(url, 8_000)).toString('utf8');
  for (const line of sums.split('\n')) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (name === archive && sum !== undefined && /^[0-9a-f]{64}$/.test(sum)) return sum;
  }
  throw new Error(`${url} lists no ${archive}`);
}

async function download(url: string, timeoutMs: number): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).catch((cause: unknown) => {
    throw new Error(`${url} cannot be reached (${reasonOf(cause)})`, { cause });
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { message, code } = (cause.cause ?? cause) as NodeJS.ErrnoException;
  const isClock = code === 'CERT_NOT_YET_VALID' || code === 'CERT_HAS_EXPIRED';
  return isClock ? `${message}: is the clock of this machine right?` : message;
}

function systemName(): string {
  if (process.platform === 'linux' || process.platform === 'darwin') return process.platform;
  throw new Error(`there is no tar archive for ${process.platform}`);
}

function machineName(): string {
  const names = new Map([
    ['x64', 'amd64'],
    ['ia32', '386'],
    ['arm', 'arm7'],
    ['ppc64', 'ppc64le'],
  ]);
  return names.get(process.arch) ?? process.arch;
}
