import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../examples/repo-audit/dist/demo.js', import.meta.url));
// What `npm run demo` may take after installation.
const demoMs = 60_000;

let state: string;
let repository: string;

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'baton-demo-test-'));
  repository = await mkdtemp(join(tmpdir(), 'baton-demo-repository-'));
});

afterEach(async () => {
  await rm(state, { recursive: true, force: true });
  await rm(repository, { recursive: true, force: true });
});

describe('the demo', () => {
  it(
    'audits a tiny repository, loses an agent on the way, and ends by itself; twice',
    async () => {
      await commitReadme();
      for (const _ of ['first', 'again']) {
        const { code, stdout, stderr } = await demo('--once', '--json', '--repo', repository);
        expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
        const outcome: unknown = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
        expect(outcome).toMatchObject({ ok: true, tasks: { failed: 0 }, agents: 6 });
        const { tasks, reassigned, seconds, report } = outcome as Outcome;
        expect(tasks.completed).toBeGreaterThanOrEqual(9);
        expect(reassigned).toBeGreaterThanOrEqual(1);
        expect(seconds).toBeLessThan(60);
        expect(report.startsWith(join(state, 'reports', 'audit-'))).toBe(true);
        const text = await readFile(report, 'utf8');
        expect(text).toContain('| Commits | 1 |');
        expect(text).toContain('| `README.md` | 3 | `missing.md` | no such file or directory |');
        expect(stderr).toMatch(/killing code-metrics-1 \(pid \d+, SIGKILL\) while it works on "/);
        expect(stderr).toMatch(/code-metrics-2 +takes over: .+ \(attempt 2\)/);
      }
    },
    2 * demoMs,
  );

  it('refuses what cannot be audited before it starts anything', async () => {
    const notGit = await demo('--once', '--json', '--repo', repository);
    expect(notGit.code).toBe(1);
    expect(JSON.parse(notGit.stdout)).toEqual({
      ok: false,
      error: expect.stringMatching(/^Expected a git repository at .*--repo PATH/s),
    });
    await git('init', '--quiet');
    const noCommit = await demo('--once', '--repo', repository);
    expect(noCommit.code).toBe(1);
    expect(noCommit.stdout).toContain('has no commit to audit yet');
    expect(await readdir(state)).toEqual([]);
  });

  it('answers an unknown option with its usage', async () => {
    const { code, stdout, stderr } = await demo('--onse');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/--onse.*Usage: npm run demo/s);
  });
});

type Outcome = {
  readonly tasks: { readonly completed: number };
  readonly reassigned: number;
  readonly seconds: number;
  readonly report: string;
};

async function demo(...words: readonly string[]) {
  // Servers of the developer's own must never be what a test writes to.
  const { DATABASE_URL: _database, DATABASE_URL_FILE: _file, NATS_URL: _nats, ...inherited } = process.env;
  const env = { ...inherited, BATON_DIRECTORY: state };
  const ended = run(process.execPath, [program, ...words], { env });
  const { stdout, stderr } = await ended.catch((error: { stdout: string; stderr: string }) => error);
  return { code: ended.child.exitCode, stdout, stderr };
}

async function commitReadme(): Promise<void> {
  await writeFile(join(repository, 'README.md'), '# Tiny\n\n[gone](missing.md)\n');
  await git('init', '--quiet');
  await git('add', '.');
  await git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', 'commit', '--quiet', '-m', 'Begin');
}

function git(...words: readonly string[]) {
  return run('git', ['-C', repository, ...words]);
}
