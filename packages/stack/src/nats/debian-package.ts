import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { parseListFile, parseSourcesFile, type AptSource } from './apt-sources.js';
import { askVersion, isRecentEnough } from './version.js';

const run = promisify(execFile);

/**
 * Downloads the package nats-server from the archive this machine is configured for, newest suite first,
 * and unpacks it without installing. The signatures are checked by apt. Works without root.
 */
export async function fetchFromDebian(directory: string): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const system = fieldOf(release, 'ID');
  if (system !== 'debian' && system !== 'ubuntu') throw new Error('this system is neither Debian nor Ubuntu');
  const codename = fieldOf(release, 'VERSION_CODENAME');
  const source = (await configuredSources()).find(({ suites }) => suites.includes(codename));
  if (source === undefined) throw new Error(`apt has no archive configured for ${codename}`);

  const newestFirst = system === 'debian' ? ['sid', 'testing', 'stable'] : ['devel'];
  const failures: string[] = [];
  for (const suite of new Set([...newestFirst, codename])) {
    try {
      return await fetchFromSuite({ ...source, suites: [suite] }, join(directory, suite));
    } catch (cause) {
      failures.push(`${suite}: ${lastLine(cause)}`);
    }
  }
  throw new Error(failures.join('; '));
}

async function configuredSources(): Promise<readonly AptSource[]> {
  const folder = '/etc/apt/sources.list.d';
  const names = await readdir(folder).catch(() => []);
  const files = ['/etc/apt/sources.list', ...names.map((name) => join(folder, name))];
  const parsed = files.map(async (file) => {
    const text = await readFile(file, 'utf8').catch(() => '');
    return file.endsWith('.sources') ? parseSourcesFile(text) : parseListFile(text);
  });
  return (await Promise.all(parsed)).flat();
}

async function fetchFromSuite(source: AptSource, directory: string): Promise<string> {
  await mkdir(join(directory, 'lists', 'partial'), { recursive: true });
  await mkdir(join(directory, 'cache', 'archives', 'partial'), { recursive: true });
  const options = source.options.length > 0 ? `[${source.options.join(' ')}] ` : '';
  const list = join(directory, 'sources.list');
  await writeFile(
    list,
    `deb ${options}${source.uri} ${source.suites.join(' ')} ${source.components.join(' ')}\n`,
  );

  const apt = (...command: readonly string[]) =>
    run('apt-get', [...aptSettings(directory, list), ...command], { cwd: directory, timeout: 120_000 });
  // Hooks of the machine (clean up, notify the desktop) may fail here and mean nothing: whether the
  // lists came is seen by the download.
  const updated = await apt('update').then(
    () => undefined,
    (cause: unknown) => cause,
  );
  await apt('download', 'nats-server').catch((cause: unknown) => {
    throw updated ?? cause;
  });
  const archive = (await readdir(directory)).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt downloaded nothing');
  await run('dpkg-deb', ['-x', archive, 'unpacked'], { cwd: directory });
  const program = join(directory, 'unpacked', 'usr', 'sbin', 'nats-server');
  const answer = await askVersion(program);
  if ('problem' in answer) throw new Error(`offers no nats-server: ${answer.problem}`);
  if (!isRecentEnough(answer.version)) throw new Error(`offers ${answer.version}`);
  return program;
}

function aptSettings(directory: string, list: string): readonly string[] {
  const settings = [
    `Dir::Etc::SourceList=${list}`,
    'Dir::Etc::SourceParts=-',
    `Dir::State::Lists=${join(directory, 'lists')}`,
    `Dir::Cache=${join(directory, 'cache')}`,
    // As root apt would change to a user who may not write into our directory.
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
    'Acquire::Retries=1',
    'Acquire::http::Timeout=10',
    'Acquire::https::Timeout=10',
  ];
  return ['-q', ...settings.flatMap((setting) => ['-o', setting])];
}

function fieldOf(release: string, name: string): string {
  return new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(release)?.[1] ?? '';
}

function lastLine(cause: unknown): string {
  const text = (cause as { readonly stderr?: string }).stderr ?? String(cause);
  return text.trim().split('\n').at(-1) ?? '';
}
