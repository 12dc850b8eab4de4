import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { runProgram } from './run-program.mjs';

/**
 * Which of Jest's projects a suite is. Faults are one after the other: a system that has the machine for itself is
 * late only when something is wrong.
 */
const suites = {
  tests: ['--ignoreProjects', 'faults'],
  faults: ['--selectProjects', 'faults', '--runInBand'],
};

/** More files than these failed for a reason: to run them again would only take time. */
const MOST_REPEATED = 3;

/**
 * Runs a suite and counts; arguments go to Jest. In CI the few files that failed run once more, each alone: a test
 * that passes then is named as unstable, since it is the test or a race in the product that wants mending, not the
 * change at hand.
 */
export async function runTests(suite, args = []) {
  const first = await runJest(suite, args);
  const failedFiles = first.files.filter(({ failed }) => failed > 0);
  const isFew = failedFiles.length > 0 && failedFiles.length <= MOST_REPEATED;
  if (!process.env.CI || !isFew) return first;

  process.stdout.write('\n── Once more, what failed\n');
  const paths = failedFiles.map(({ path }) => path);
  const again = await runJest(suite, ['--runInBand', '--runTestsByPath', ...paths]);
  const others = first.files.filter(({ failed }) => failed === 0);
  const run = { ...counts([...others, ...again.files]), code: again.code };
  if (run.failed === 0) process.stdout.write(unstable(failedFiles));
  return run;
}

async function runJest(suite, args) {
  const folder = mkdtempSync(join(tmpdir(), 'baton-test-'));
  const report = join(folder, 'report.json');
  try {
    const code = await runProgram(process.execPath, [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      ...suites[suite],
      '--json',
      `--outputFile=${report}`,
      ...args,
    ]);
    const files = existsSync(report) ? filesOf(JSON.parse(readFileSync(report, 'utf8'))) : [];
    const run = { ...counts(files), code };
    // A setup or teardown that threw belongs to no file.
    if (code !== 0) return { ...run, failed: Math.max(run.failed, 1) };
    return { ...run, code: run.failed > 0 ? 1 : 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** "N passed, N failed" over all these runs, with ", N skipped" when some were. */
export function summary(runs) {
  const sum = (key) => runs.reduce((total, run) => total + run[key], 0);
  const skipped = sum('skipped');
  return `${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function filesOf({ testResults }) {
  return testResults.map(({ name, status, assertionResults }) => {
    const having = (...states) => assertionResults.filter((test) => states.includes(test.status));
    const failures = having('failed').map(({ fullName }) => fullName);
    return {
      path: name,
      failures,
      passed: having('passed').length,
      // A file that could not be loaded has no tests of its own to fail.
      failed: status === 'failed' ? Math.max(failures.length, 1) : failures.length,
      skipped: having('pending', 'todo', 'skipped', 'disabled').length,
    };
  });
}

function counts(files) {
  const sum = (key) => files.reduce((total, file) => total + file[key], 0);
  return { files, passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

function unstable(files) {
  const lines = files.flatMap(({ path, failures }) =>
    (failures.length > 0 ? failures : ['could not be run']).map(
      (name) => `   ${relative(process.cwd(), path)}: ${name}\n`,
    ),
  );
  return `\n── Unstable: failed, and passed alone\n${lines.join('')}`;
}
