import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { gitRecords, gitText } from './run-git.js';
import type { Snapshot } from './tree.js';

/** Lines added and removed in a file by one commit; both null for a binary file. */
export type FileChange = {
  readonly path: string;
  readonly added: number | null;
  readonly removed: number | null;
};

export type Commit = {
  readonly hash: string;
  /** Author's date, ISO 8601; what git makes of it when the commit holds nonsense. */
  readonly at: string;
  readonly author: string;
  readonly subject: string;
  readonly merge: boolean;
  /** Empty for merges, and unless asked for. */
  readonly changes: readonly FileChange[];
};

export type CommitLog = {
  /** Newest first. */
  readonly commits: readonly Commit[];
  /** There are older commits that were not read. */
  readonly truncated: boolean;
  /** The older history is not in this clone. */
  readonly shallow: boolean;
};

export type LogRequest = Snapshot & { readonly limit: number };

const start = '\u0001';
const field = '\u0002';
const format = `--format=%x01${['%H', '%aI', '%P', '%aN', '%s'].join('%x02')}`;

/** Reads who committed when, without looking at the changes. */
export function readLog(request: LogRequest): Promise<CommitLog> {
  return collect(request, []);
}

/** Reads the commits with the lines they changed per file, without those whose parents a shallow clone lacks. */
export async function readChanges(request: LogRequest): Promise<CommitLog> {
  const log = await collect(request, ['--numstat', '--no-renames', '--no-ext-diff', '--no-textconv']);
  if (!log.shallow) return log;
  // At the edge of a shallow clone git shows every file as just added, by whoever committed last.
  const edge = await shallowEdge(request);
  return { ...log, commits: log.commits.filter((commit) => !edge.has(commit.hash)) };
}

async function collect(request: LogRequest, options: readonly string[]): Promise<CommitLog> {
  const { repository, commit, limit, signal } = request;
  const shallow = await gitText({ repository, signal, arguments: ['rev-parse', '--is-shallow-repository'] });
  const words = [
    'log',
    '-z',
    '--no-color',
    '--no-notes',
    format,
    `--max-count=${limit + 1}`,
    ...options,
    commit,
    '--',
  ];
  const commits: Commit[] = [];
  let changes: FileChange[] = [];
  for await (const record of gitRecords({ repository, signal, arguments: words })) {
    const text = record.startsWith('\n') ? record.slice(1) : record;
    if (text.startsWith(start)) {
      changes = [];
      commits.push(toCommit(text.slice(1), changes));
    } else if (text !== '') {
      changes.push(toChange(text));
    }
  }
  return { commits: commits.slice(0, limit), truncated: commits.length > limit, shallow: shallow === 'true' };
}

function toCommit(text: string, changes: readonly FileChange[]): Commit {
  const [hash = '', at = '', parents = '', author = '', ...subject] = text.split(field);
  return { hash, at, author, subject: subject.join(field), merge: parents.includes(' '), changes };
}

function toChange(text: string): FileChange {
  const [added = '-', removed = '-', ...path] = text.split('\t');
  return { path: path.join('\t'), added: linesOf(added), removed: linesOf(removed) };
}

function linesOf(count: string): number | null {
  return count === '-' ? null : Number(count);
}

async function shallowEdge(request: Snapshot): Promise<ReadonlySet<string>> {
  const { repository, signal } = request;
  const file = await gitText({ repository, signal, arguments: ['rev-parse', '--git-path', 'shallow'] });
  const text = await readFile(resolve(repository, file), 'utf8').catch(() => '');
  return new Set(text.split('\n').filter((line) => line !== ''));
}
