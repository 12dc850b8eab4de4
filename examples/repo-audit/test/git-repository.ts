import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A git repository in a temporary directory. */
export type TestRepository = {
  readonly path: string;
  git(...words: readonly string[]): Promise<string>;
  write(path: string, content: string | Buffer): Promise<void>;
  /** Commits everything; the dates and names are always the same. */
  commit(message: string, options?: { readonly author?: string; readonly at?: string }): Promise<void>;
  remove(): Promise<void>;
};

/** Makes an empty repository without a commit. */
export async function createRepository(): Promise<TestRepository> {
  const path = await mkdtemp(join(tmpdir(), 'baton-audit-test-'));
  const git = (...words: readonly string[]) => runGit(path, words);
  await git('init', '--quiet', '--initial-branch=main', '.');
  return {
    path,
    git,
    async write(name, content) {
      const file = join(path, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    },
    async commit(message, { author = 'Ada', at = '2026-03-04T05:06:07Z' } = {}) {
      await git('add', '--all');
      await git(
        '-c',
        `user.name=${author}`,
        'commit',
        '--quiet',
        '--allow-empty',
        `--date=${at}`,
        '-m',
        message,
      );
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** Runs git without the configuration of whoever runs the tests. */
export async function runGit(path: string, words: readonly string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', path, ...words], {
    env: {
      ...process.env,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_EMAIL: 'test@example.org',
      GIT_COMMITTER_EMAIL: 'test@example.org',
      GIT_COMMITTER_NAME: 'Committer',
    },
  });
  return stdout.trimEnd();
}
