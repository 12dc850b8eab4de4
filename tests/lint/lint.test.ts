import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ALLOWED_IMPORTS, BAD_FILES, REFUSED_IMPORTS, type SourceFile } from './bad-files.js';

type Diagnostic = { readonly filename: string; readonly code: string };

const root = process.cwd();
const found = new Map<string, Set<string>>();
let folder: string;

// All files are linted in one run, under the paths that the configuration's globs look at.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-lint-'));
  await copyFile(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  await copyFile(join(root, 'tsconfig.base.json'), join(folder, 'tsconfig.json'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const imports = [...REFUSED_IMPORTS, ...ALLOWED_IMPORTS].flatMap(({ files }) => files);
  await Promise.all([...imports, ...BAD_FILES].map(write));
  for (const { filename, code } of await lint()) {
    found.set(filename, (found.get(filename) ?? new Set()).add(code));
  }
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function write({ path, source }: SourceFile): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), source);
}

function lint(): Promise<readonly Diagnostic[]> {
  const program = join(root, 'node_modules/oxlint/bin/oxlint');
  const argv = [program, '--type-aware', '--format=json', 'packages', 'services', 'examples'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, argv, { cwd: folder, maxBuffer: 16_000_000 }, (error, stdout) => {
      if (!stdout.startsWith('{'))
        return reject(error ?? new Error(`expected JSON of oxlint, got ${stdout}`));
      return resolve((JSON.parse(stdout) as { readonly diagnostics: readonly Diagnostic[] }).diagnostics);
    });
  });
}

function refused(files: readonly SourceFile[]): readonly boolean[] {
  return files.map(({ path }) => found.get(path)?.has('eslint(no-restricted-imports)') ?? false);
}

describe('the lint configuration', () => {
  it.each(REFUSED_IMPORTS)('forbids $name to import any of $specifiers', ({ files }) => {
    expect(refused(files)).toEqual(files.map(() => true));
  });

  it.each(ALLOWED_IMPORTS)('lets $name import $specifiers', ({ files }) => {
    expect(refused(files)).toEqual(files.map(() => false));
  });

  it.each(BAD_FILES)('finds $rule in $path', ({ path, rule }) => {
    expect([...(found.get(path) ?? [])]).toContain(rule);
  });
});
