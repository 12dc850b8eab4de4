import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './run-program.mjs';

/**
 * Which of Jest's projects a suite is. Faults are one after the other: a system that has the machine for itself is
 * late only when something is wrong.
 */
const suites = {
  tests: ['--ignoreProjects', 'faults'],
  faults: ['--selectProjects', 'faults', '--runInBand'],
};

/** Runs a suite and counts; arguments go to Jest. */
export async function runTests(suite, args = []) {
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
    const counts = count(report, code);
    return { ...counts, code: counts.failed > 0 && code === 0 ? 1 : code };
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

function count(report, code) {
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
  // A file that could not be loaded has no tests of its own to fail, nor has a setup or teardown that threw.
  const failed = (result?.numFailedTests ?? 0) + (result?.numRuntimeErrorTestSuites ?? 0);
  return {
    passed: result?.numPassedTests ?? 0,
    failed: code === 0 ? failed : Math.max(failed, 1),
    skipped: (result?.numPendingTests ?? 0) + (result?.numTodoTests ?? 0),
  };
}
