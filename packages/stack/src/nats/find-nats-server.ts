import { access, chmod, copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { StackError } from '../stack-error.js';
import { fetchFromDebian } from './debian-package.js';
import { fetchRelease } from './release-archive.js';
import { askVersion, isRecentEnough, oldestNatsVersion, tooOld } from './version.js';

/** Where to look for a nats-server program. */
export interface NatsServerSearch {
  /** `NATS_SERVER_BIN` and `PATH` are read from it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Where a fetched program is kept. */
  readonly binaries: string;
  readonly report: (line: string) => void;
  /** How to fetch one, in order; the release archive and then the Debian package when left out. */
  readonly sources?: readonly NatsServerSource[];
}

/** A nats-server program that was found. */
export interface NatsServerProgram {
  readonly path: string;
  readonly version: string;
}

/** A way to get a nats-server from elsewhere. */
export interface NatsServerSource {
  readonly name: string;
  /** Puts files under the empty `directory` and returns the program; rejects with the reason it cannot. */
  readonly fetch: (directory: string) => Promise<string>;
}

/**
 * Finds a nats-server of version 2.10 or later: NATS_SERVER_BIN, PATH, the cache, a download. Rejects
 * with a StackError that says what was tried and what to do.
 */
export async function findNatsServer(search: NatsServerSearch): Promise<NatsServerProgram> {
  const named = search.environment['NATS_SERVER_BIN'];
  if (named !== undefined && named !== '') return programNamedByUser(named, search.report);

  const tried: string[] = [];
  const note = (line: string): void => {
    tried.push(line);
    search.report(line);
  };
  const cached = join(search.binaries, programName);
  for (const [place, path] of [
    ...(await programsOnPath(search.environment)),
    ['the cache', cached] as const,
  ]) {
    const answer = await askVersion(path);
    if ('problem' in answer) {
      if (await exists(path)) note(`nats-server from ${place} cannot be used (${answer.problem}): ${path}`);
      continue;
    }
    const { version } = answer;
    if (isRecentEnough(version)) {
      search.report(`nats-server ${version} from ${place}: ${path}`);
      return { path, version };
    }
    note(`nats-server from ${place} is ${version}, too old: ${path}`);
  }
  for (const source of search.sources ?? [releaseArchive, debianPackage]) {
    search.report(`Fetching nats-server from ${source.name}`);
    try {
      const version = await fetchInto(cached, source, search.binaries);
      search.report(`nats-server ${version} from ${source.name}: ${cached}`);
      return { path: cached, version };
    } catch (cause) {
      note(`${source.name}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  throw notFound(tried, cached);
}

const programName = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';

const releaseArchive: NatsServerSource = {
  name: 'the release archive',
  fetch: (into) => fetchRelease({ into }),
};

const debianPackage: NatsServerSource = { name: 'the Debian package', fetch: fetchFromDebian };

async function programNamedByUser(path: string, report: (line: string) => void): Promise<NatsServerProgram> {
  const answer = await askVersion(path);
  if ('problem' in answer) {
    throw new StackError(
      'NATS_NOT_FOUND',
      `NATS_SERVER_BIN is ${path}, but that cannot be used: ${answer.problem}. ` +
        'Set it to the nats-server program (not its folder), or unset it to have one found.',
    );
  }
  const { version } = answer;
  if (isRecentEnough(version)) {
    report(`nats-server ${version} from NATS_SERVER_BIN: ${path}`);
    return { path, version };
  }
  throw tooOld(`NATS_SERVER_BIN (${path})`, version, 'Set it to a newer one, or unset it to have one found.');
}

async function programsOnPath(
  environment: NodeJS.ProcessEnv,
): Promise<readonly (readonly [string, string])[]> {
  const found: (readonly [string, string])[] = [];
  for (const directory of (environment['PATH'] ?? '').split(delimiter)) {
    if (directory === '') continue;
    const path = join(directory, programName);
    if (await exists(path)) found.push(['PATH', path]);
  }
  return found;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function fetchInto(cached: string, source: NatsServerSource, binaries: string): Promise<string> {
  await mkdir(binaries, { recursive: true, mode: 0o755 });
  const directory = await mkdtemp(join(binaries, 'fetch-'));
  try {
    const program = await source.fetch(directory);
    const answer = await askVersion(program);
    if ('problem' in answer) throw new Error(`what was fetched cannot be used: ${answer.problem}`);
    const { version } = answer;
    if (!isRecentEnough(version)) throw new Error(`offers ${version}, older than ${oldestNatsVersion}`);
    // Renamed at the end, so that two starts at once cannot see half a program.
    const draft = join(directory, 'ready');
    await copyFile(program, draft);
    await chmod(draft, 0o755);
    await rename(draft, cached);
    return version;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function notFound(tried: readonly string[], cached: string): StackError {
  return new StackError(
    'NATS_NOT_FOUND',
    `No nats-server ${oldestNatsVersion} or later was found. Tried NATS_SERVER_BIN (not set), PATH, ${cached}, and:\n` +
      tried.map((line) => `  ${line}\n`).join('') +
      'Do one of these: install nats-server with the package manager of this system; download it from ' +
      'https://github.com/nats-io/nats-server/releases (another machine will do) and set NATS_SERVER_BIN to it; ' +
      'or set NATS_URL to a server that runs already.',
  );
}
