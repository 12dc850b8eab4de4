// npm run verify: everything a change must pass, cheapest first; stops at the first step that fails.
// The last line on standard output is that of the tests, "N passed, N failed".
import { runProgram } from './run-program.mjs';

const steps = [
  { title: 'Format', script: 'format:check', advice: 'npm run format' },
  { title: 'Lint', script: 'lint', advice: 'npm run lint' },
  { title: 'Types', script: 'types', advice: 'npm run types' },
  { title: 'Unused code', script: 'unused', advice: 'npm run unused' },
  { title: 'Generated files', script: 'generate', args: ['--check'], advice: 'npm run generate' },
  { title: 'Tests', script: 'test' },
];

for (const step of steps) {
  process.stdout.write(`\n── ${step.title}\n`);
  const started = performance.now();
  const code = await npmRun(step.script, step.args ?? []);
  if (code !== 0) {
    process.exitCode = code;
    if (step.script !== 'test') reportFailure(step, started);
    break;
  }
  if (step.script !== 'test') process.stdout.write(`   ${seconds(started)}\n`);
}

// The tests print their own count; before them, the step that failed is what was not passed.
function reportFailure(step, started) {
  process.stderr.write(`── ${step.title} failed after ${seconds(started)}; see "${step.advice}"\n`);
  process.stdout.write('0 passed, 1 failed\n');
}

function npmRun(script, args) {
  const npm = process.env.npm_execpath;
  const command = npm ? [process.execPath, npm] : ['npm'];
  return runProgram(command[0], [...command.slice(1), 'run', '--silent', script, '--', ...args]);
}

function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}
