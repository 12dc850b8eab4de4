import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readChanges, readLog } from '../src/git/commits.js';
import { readTexts } from '../src/git/contents.js';
import { openRepository, RepositoryError } from '../src/git/repository.js';
import { GitError, gitOutput } from '../src/git/run-git.js';
import { listTree, type Snapshot } from '../src/git/tree.js';
import { createRepository, runGit, type TestRepository } from './git-repository.js';

let repository: TestRepository;
let elsewhere: string;

beforeEach(async () => {
  repository = await createRepository();
  elsewhere = await mkdtemp(join(tmpdir(), 'baton-audit-test-'));
});

afterEach(async () => {
  await repository.remove();
  await rm(elsewhere, { recursive: true, force: true });
});

async function snapshot(path = repository.path): Promise<Snapshot> {
  const { path: top, commit } = await openRepository(path);
  return { repository: top, commit };
}

async function clone(...options: readonly string[]): Promise<string> {
  const path = join(elsewhere, 'clone');
  await runGit(elsewhere, ['clone', '--quiet', ...options, `file://${repository.path}`, path]);
  return path;
}

describe('openRepository', () => {
  it('finds the top of the repository from a folder in it', async () => {
    await repository.write('sub/a', 'x');
    await repository.commit('One');
    const found = await openRepository(join(repository.path, 'sub'));
    expect(found).toMatchObject({
      path: await repository.git('rev-parse', '--show-toplevel'),
      branch: 'main',
    });
    expect(found).toMatchObject({ shallow: false, partial: false });
    expect(found.commit).toMatch(/^[0-9a-f]{40}$/);
  });

  it('says what to do where there is nothing to audit', async () => {
    await expect(openRepository(join(elsewhere, 'missing'))).rejects.toThrow(/does not exist.*--repo PATH/);
    await expect(openRepository(elsewhere)).rejects.toThrow(/Expected a git repository at .*git init/s);
    const empty = openRepository(repository.path);
    await expect(empty).rejects.toThrow(RepositoryError);
    await expect(empty).rejects.toThrow(/has no commit to audit yet/);
  });

  it('takes a detached head, a bare repository and a shallow clone', async () => {
    await repository.commit('One');
    await repository.commit('Two');
    await repository.git('checkout', '--quiet', '--detach');
    expect(await openRepository(repository.path)).toMatchObject({ branch: null });
    expect(await openRepository(await clone('--bare'))).toMatchObject({ name: 'clone' });
    await rm(join(elsewhere, 'clone'), { recursive: true });
    expect(await openRepository(await clone('--depth=1'))).toMatchObject({ shallow: true });
  });

  it('asks the repository it was given, also within a hook of another', async () => {
    await repository.commit('One');
    process.env['GIT_DIR'] = elsewhere;
    try {
      expect((await openRepository(repository.path)).branch).toBe('main');
    } finally {
      delete process.env['GIT_DIR'];
    }
  });
});

describe('gitOutput', () => {
  it('ends git when the reader has had enough', async () => {
    await repository.write('large', 'x'.repeat(4_000_000));
    await repository.commit('One');
    let bytes = 0;
    for await (const chunk of gitOutput({ repository: repository.path, arguments: ['show', 'HEAD:large'] })) {
      bytes += chunk.length;
      break;
    }
    expect(bytes).toBeLessThan(4_000_000);
  });

  it('fails with the word of git, and with the reason of an abort', async () => {
    const call = { repository: repository.path, arguments: ['show', 'HEAD'] };
    await expect(gitOutput(call).next()).rejects.toThrow(GitError);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(gitOutput({ ...call, signal }).next()).rejects.toThrow('enough');
  });
});

describe('listTree', () => {
  it('lists files, links and empty trees with any name', async () => {
    await repository.commit('Empty');
    expect(await listTree(await snapshot())).toEqual({ files: [], truncated: false });
    const odd = 'dir with space/new\nline\t"quoted"|é';
    await repository.write(odd, 'four');
    await symlink('nowhere', join(repository.path, 'link'));
    await repository.commit('Odd');
    const { files } = await listTree(await snapshot());
    expect(files.map(({ path, kind, bytes }) => [path, kind, bytes])).toEqual([
      [odd, 'file', 4],
      ['link', 'symlink', 7],
    ]);
  });

  it('leaves what a partial clone lacks without a size, and fetches nothing', async () => {
    await repository.write('a', 'content');
    await repository.commit('One');
    await repository.git('config', 'uploadpack.allowFilter', 'true');
    const path = await clone('--filter=blob:none', '--no-checkout');
    const { files } = await listTree(await snapshot(path));
    expect(files).toMatchObject([{ path: 'a', bytes: null }]);
    expect(await openRepository(path)).toMatchObject({ partial: true });
    await expect(readChanges({ ...(await snapshot(path)), limit: 10 })).rejects.toThrow(GitError);
    expect(await runGit(path, ['rev-list', '--objects', '--missing=print', 'HEAD'])).toContain('?');
  });
});

describe('readTexts', () => {
  it('reads texts in order, and counts what it leaves out', async () => {
    await repository.write('a.txt', 'first\n');
    await repository.write('b.bin', Buffer.from([1, 0, 2]));
    await repository.write('c.txt', 'x'.repeat(1024 * 1024 + 1));
    await repository.write('d.txt', '');
    await repository.write('e.txt', 'first\n');
    await symlink('a.txt', join(repository.path, 'f'));
    await repository.commit('One');
    const at = await snapshot();
    const { files } = await listTree(at);
    const seen: string[] = [];
    const coverage = await readTexts({ ...at, files }, (file, text) => seen.push(`${file.path}=${text}`));
    expect(seen).toEqual(['a.txt=first\n', 'd.txt=', 'e.txt=first\n']);
    expect(coverage).toEqual({ files: 6, read: 3, binary: 1, tooLarge: 1, notHere: 1, overLimit: 0 });
  });

  it('stops at the bytes one step reads', async () => {
    const megabyte = 'y'.repeat(1024 * 1024);
    for (let index = 0; index < 34; index += 1) await repository.write(`f${index}`, megabyte);
    await repository.commit('One');
    const at = await snapshot();
    const { files } = await listTree(at);
    let bytes = 0;
    const coverage = await readTexts({ ...at, files }, (_, text) => (bytes += text.length));
    expect(coverage).toMatchObject({ read: 32, overLimit: 2 });
    expect(bytes).toBe(32 * 1024 * 1024);
  });
});

describe('the log', () => {
  it('tells who changed which lines when', async () => {
    await repository.write('a', '1\n2\n');
    await repository.write('b.bin', Buffer.from([0, 1]));
    await repository.commit('First: with\ttabs', { author: 'Ada', at: '2026-01-02T03:04:05+02:00' });
    await repository.write('a', '1\n3\n4\n');
    await repository.commit('Second', { author: 'Bo' });
    const log = await readChanges({ ...(await snapshot()), limit: 10 });
    expect(log).toMatchObject({ truncated: false, shallow: false });
    expect(log.commits).toMatchObject([
      { author: 'Bo', subject: 'Second', changes: [{ path: 'a', added: 2, removed: 1 }] },
      {
        author: 'Ada',
        subject: 'First: with\ttabs',
        at: '2026-01-02T03:04:05+02:00',
        changes: [
          { path: 'a', added: 2, removed: 0 },
          { path: 'b.bin', added: null, removed: null },
        ],
      },
    ]);
  });

  it('stops at the limit and says so; merges have no changes', async () => {
    await repository.commit('One');
    await repository.git('checkout', '--quiet', '-b', 'side');
    await repository.write('side', 'x\n');
    await repository.commit('Side');
    await repository.git('checkout', '--quiet', 'main');
    await repository.commit('Main');
    await repository.git('-c', 'user.name=Ada', 'merge', '--quiet', '--no-ff', '-m', 'Merge', 'side');
    const log = await readLog({ ...(await snapshot()), limit: 2 });
    expect(log.truncated).toBe(true);
    expect(log.commits).toHaveLength(2);
    expect(log.commits[0]).toMatchObject({ subject: 'Merge', merge: true, changes: [] });
  });

  it('leaves out the edge of a shallow clone, where every file looks new', async () => {
    await repository.write('a', 'x\n');
    await repository.commit('One');
    await repository.write('b', 'x\n');
    await repository.commit('Two');
    const path = await clone('--depth=1');
    const at = await snapshot(path);
    expect(await readChanges({ ...at, limit: 10 })).toEqual({ commits: [], truncated: false, shallow: true });
    expect((await readLog({ ...at, limit: 10 })).commits).toHaveLength(1);
  });
});
