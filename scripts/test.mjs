// npm test: all tests that need Node only. Arguments go to Jest: npm test -- packages/contracts -t 'limit'.
// The last line on standard output is "N passed, N failed", with ", N skipped" when some were.
import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './run-program.mjs';

const folder = mkdtempSync(join(tmpdir(), 'baton-test-'));
const report = join(folder, 'report.json');
try {
  const code = await runProgram(process.execPath, [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--json',
    `--outputFile=${report}`,
    ...process.argv.slice(2),
  ]);
  const { passed, failed, skipped } = count(code);
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  process.exitCode = failed > 0 && code === 0 ? 1 : code;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function count(code) {
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
  // A file that could not be loaded has no tests of its own to fail, nor has a setup or teardown that threw.
  const failed = (result?.numFailedTests ?? 0) + (result?.numRuntimeErrorTestSuites ?? 0);
  return {
    passed: result?.numPassedTests ?? 0,
    failed: code === 0 ? failed : Math.max(failed, 1),
    skipped: (result?.numPendingTests ?? 0) + (result?.numTodoTests ?? 0),
  };
}
