import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { GitError, gitText, type GitCall } from './run-git.js';

/** A repository that can be audited. The commit is fixed, so every step sees the same files. */
export type Repository = {
  /** The top directory of the work tree, or the git directory of a bare repository. */
  readonly path: string;
  readonly name: string;
  readonly commit: string;
  /** The branch; null when HEAD is detached. */
  readonly branch: string | null;
  readonly shallow: boolean;
  /** Some objects may be elsewhere; they are skipped, never fetched. */
  readonly partial: boolean;
};

/** The path cannot be audited; the message says why and what to do. */
export class RepositoryError extends Error {
  override readonly name = 'RepositoryError';
}

/** Looks at the repository that `path` lies in. Throws RepositoryError when there is nothing to audit. */
export async function openRepository(path: string): Promise<Repository> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    const what = found === undefined ? 'does not exist' : 'is not a directory';
    throw new RepositoryError(
      `Expected the directory of a git repository, but ${path} ${what}. Give the path of one: --repo PATH`,
    );
  }
  const ask = (...words: string[]) => gitText({ repository: path, arguments: words });
  const bare = await ask('rev-parse', '--is-bare-repository').catch((error: unknown) => {
    throw notARepository(path, error);
  });
  const top = await (bare === 'true'
    ? ask('rev-parse', '--absolute-git-dir')
    : ask('rev-parse', '--show-toplevel').catch(() => ask('rev-parse', '--absolute-git-dir')));
  const commit = await ask('rev-parse', '--verify', '--quiet', 'HEAD^{commit}').catch(() => {
    throw new RepositoryError(
      `The git repository ${top} has no commit to audit yet. Make a first commit ("git add . && git commit"), ` +
        'check out a branch that has one, or give another repository: --repo PATH',
    );
  });
  return {
    path: top,
    name: basename(top === '' ? path : top.replace(/\/\.git$/, '')).replace(/\.git$/, '') || 'repository',
    commit,
    branch: await ask('symbolic-ref', '--quiet', '--short', 'HEAD').catch(() => null),
    shallow: (await ask('rev-parse', '--is-shallow-repository').catch(() => 'false')) === 'true',
    partial: await isPartialClone({ repository: top }),
  };
}

/** Whether git would fetch objects from elsewhere when they are asked for. */
export async function isPartialClone(where: Pick<GitCall, 'repository' | 'signal'>): Promise<boolean> {
  const call = { ...where, arguments: ['config', '--get-regexp', '^remote\\..*\\.promisor$'] };
  // Git ends with status 1 when there is no such setting.
  const lines = await gitText(call).catch((error: unknown) => {
    if (error instanceof GitError) return '';
    throw error;
  });
  return lines.split('\n').some((line) => line.endsWith(' true'));
}

function notARepository(path: string, error: unknown): RepositoryError {
  const reason = error instanceof GitError ? error.message : String(error);
  return new RepositoryError(
    `Expected a git repository at ${path}, but git says: ${reason}\n` +
      'Give the path of a repository (--repo PATH), or make one there: "git init", "git add .", "git commit".',
  );
}
