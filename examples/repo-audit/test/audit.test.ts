import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGraph, jsonProblem, LIMITS, type JsonObject } from '@baton/contracts';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { codeMetrics, historyFindings, licences, links } from '../src/results.js';
import { steps, type StepName } from '../src/steps/steps.js';
import type { Step } from '../src/steps/step.js';
import { createRepository, runGit, type TestRepository } from './git-repository.js';

let repository: TestRepository;
let directory: string;

beforeEach(async () => {
  repository = await createRepository();
  directory = await mkdtemp(join(tmpdir(), 'baton-audit-test-'));
});

afterEach(async () => {
  await repository.remove();
  await rm(directory, { recursive: true, force: true });
});

/** Plans an audit and does its steps one after the other in this process, as agents would. */
async function audit(repo = repository.path) {
  const reportPath = join(directory, 'reports', 'report.md');
  const signal = new AbortController().signal;
  const results = new Map<string, JsonObject>();
  await steps['audit.plan'](
    { repo, reportPath },
    {
      signal,
      metadata: { demoRun: 'test' },
      results: new Map(),
      spawn: async (graph) => {
        for (const task of createGraph.parse(graph).tasks) {
          const needs = task.dependencies.map(({ name = '' }) => [name, results.get(name) ?? null] as const);
          const step: Step = steps[task.type as StepName];
          const result = await step(task.input, {
            signal,
            metadata: task.metadata,
            results: new Map(needs),
            spawn: () => Promise.reject(new Error('only the planner spawns')),
          });
          expect(jsonProblem(result, LIMITS.payloadBytes)).toBeUndefined();
          results.set(task.ref, result);
        }
        return graph.tasks.length;
      },
    },
  );
  return { report: await readFile(reportPath, 'utf8'), results };
}

describe('an audit', () => {
  it('writes real figures into its report', async () => {
    await repository.write('README.md', '# Thing\n\n[guide](docs/guide.md) [gone](docs/gone.md)\n');
    await repository.write(
      'docs/guide.md',
      '# Guide\n\n[back](../README.md#thing) [x](https://example.org)\n',
    );
    await repository.write('LICENSE', 'Permission is hereby granted, free of charge, to any person\n');
    await repository.write('package.json', '{"dependencies":{"a":"1.0.0"}}');
    const packages = {
      '': {},
      'node_modules/a': { version: '1.0.0', license: 'MIT' },
      'node_modules/b': { version: '2.0.0' },
    };
    await repository.write('package-lock.json', JSON.stringify({ lockfileVersion: 3, packages }));
    await repository.write('.gitignore', 'node_modules\n');
    await repository.write('node_modules/b/package.json', '{"license":"ISC"}');
    await repository.write('src/a.ts', 'export function a() {\n  return 1; // TODO\n}\n');
    await repository.write('src/copy.ts', 'export function a() {\n  return 1; // TODO\n}\n');
    await repository.commit('Begin', { author: 'Ada', at: '2026-01-05T00:00:00Z' });
    await repository.write('src/a.ts', 'export function a() {\n  return 2;\n}\n');
    await repository.write('src/b.ts', 'export function a() {\n  return 1; // TODO\n}\n');
    await repository.commit('Change', { author: 'Bo', at: '2026-02-05T00:00:00Z' });

    const { report, results } = await audit();
    expect(codeMetrics.parse(results.get('code'))).toMatchObject({ files: 9, functions: 3, markers: 2 });
    expect(results.get('duplicates')).toMatchObject({ groups: 1, copies: 1 });
    expect(links.parse(results.get('links'))).toMatchObject({
      documents: 2,
      relative: 3,
      external: 1,
      broken: [{ document: 'README.md', line: 3, target: 'docs/gone.md' }],
    });
    const { npm, own } = licences.parse(results.get('licences'));
    expect(own).toEqual([{ path: 'LICENSE', licence: 'MIT' }]);
    expect(npm).toMatchObject({ manifests: 1, direct: 1, locked: 2, unknown: 0 });
    const { activity, authors, churn } = historyFindings.parse(results.get('history'));
    expect(activity).toMatchObject({ commitsRead: 2, activeMonths: 2 });
    expect(authors).toMatchObject({ authors: 2, halfOfCommitsBy: 1 });
    expect('hotFiles' in churn && churn.hotFiles[0]).toEqual({
      path: 'src/a.ts',
      commits: 2,
      added: 4,
      removed: 1,
    });
    expect(report).toContain('| Main language | TypeScript (9 lines) |');
    expect(report).toContain('| Broken links | 1 |');
    expect(report).toContain('| Ada | 1 | 2026-01-05 | 2026-01-05 |');
    expect(report).toContain('| 2026-02 | 1 | 1 |');
    expect(report).toContain('2 × 44 bytes: `src/b.ts`, `src/copy.ts`');
    expect(report).not.toMatch(/undefined|NaN|\[object/);
  });

  it.each<[string, () => Promise<string>]>([
    ['a single empty commit', async () => repository.path],
    [
      'a shallow clone with a detached head',
      async () => {
        await repository.write('a.txt', 'a\n');
        await repository.commit('Two');
        const path = join(directory, 'clone');
        await runGit(directory, ['clone', '--quiet', '--depth=1', `file://${repository.path}`, path]);
        await runGit(path, ['checkout', '--quiet', '--detach']);
        return path;
      },
    ],
    [
      'a partial clone',
      async () => {
        await repository.write('a.txt', 'a\n');
        await repository.commit('Two');
        await repository.git('config', 'uploadpack.allowFilter', 'true');
        const path = join(directory, 'clone');
        const options = ['--quiet', '--filter=blob:none', '--no-checkout'];
        await runGit(directory, ['clone', ...options, `file://${repository.path}`, path]);
        return path;
      },
    ],
    [
      'a bare repository',
      async () => {
        const path = join(directory, 'clone.git');
        await runGit(directory, ['clone', '--quiet', '--bare', repository.path, path]);
        return path;
      },
    ],
    [
      'only odd names, links and broken files',
      async () => {
        await repository.write('new\nline|`x`/a"b.md', '[x](y');
        await repository.write('package.json', '{');
        await repository.write('package-lock.json', 'null');
        await repository.write('data.bin', Buffer.alloc(100));
        await symlink('/etc/passwd', join(repository.path, 'link.md'));
        await repository.commit('`Odd` | <b>subject</b>\u0001', { author: '| *x* |' });
        return repository.path;
      },
    ],
  ])('works on %s', async (_, prepare) => {
    await repository.commit('One');
    const { report, results } = await audit(await prepare());
    expect(results.size).toBeGreaterThanOrEqual(8);
    expect(report).toMatch(/^# Audit of /);
    expect(report).toContain('## What was left out');
    expect(report).not.toMatch(/undefined|NaN|\[object/);
    // Nothing of the repository breaks a line, so every row of a table is whole.
    for (const line of report.split('\n').filter((one) => one.startsWith('|'))) expect(line).toMatch(/\|$/);
  });

  it('refuses what is no repository before it plans anything', async () => {
    await expect(audit(directory)).rejects.toThrow(/Expected a git repository/);
    await expect(audit('relative/path')).rejects.toThrow(/expected an absolute path/);
  });
});
