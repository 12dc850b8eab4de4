// npm run verify: everything a change must pass, cheapest first; stops at the first step that fails.
// The last line on standard output counts all tests: "N passed, N failed".
import { runProgram } from './run-program.mjs';
import { runTests, summary } from './run-tests.mjs';

const steps = [
  { title: 'Format', script: 'format:check', advice: 'npm run format' },
  { title: 'Lint', script: 'lint', advice: 'npm run lint' },
  { title: 'Types', script: 'types', advice: 'npm run types' },
  { title: 'Unused code', script: 'unused', advice: 'npm run unused' },
  { title: 'Supply', script: 'supply', advice: 'npm run supply' },
  { title: 'Generated files', script: 'generate', args: ['--check'], advice: 'npm run generate' },
];
const suites = [
  { title: 'Tests', suite: 'tests' },
  { title: 'Faults', suite: 'faults' },
];

if (await passesSteps()) await runSuites();

async function passesSteps() {
  for (const step of steps) {
    const started = begin(step.title);
    const code = await npmRun(step.script, step.args ?? []);
    if (code !== 0) {
      process.exitCode = code;
      process.stderr.write(`── ${step.title} failed after ${seconds(started)}; see "${step.advice}"\n`);
      process.stdout.write('0 passed, 1 failed\n');
      return false;
    }
    process.stdout.write(`   ${seconds(started)}\n`);
  }
  return true;
}

async function runSuites() {
  const runs = [];
  for (const { title, suite } of suites) {
    begin(title);
    const run = await runTests(suite);
    runs.push(run);
    if (run.code === 0) continue;
    process.exitCode = run.code;
    break;
  }
  process.stdout.write(`${summary(runs)}\n`);
}

function begin(title) {
  process.stdout.write(`\n── ${title}\n`);
  return performance.now();
}

function npmRun(script, args) {
  const npm = process.env.npm_execpath;
  const command = npm ? [process.execPath, npm] : ['npm'];
  return runProgram(command[0], [...command.slice(1), 'run', '--silent', script, '--', ...args]);
}

function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}
