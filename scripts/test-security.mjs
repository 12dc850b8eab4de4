// npm run test:security: tries every attack and bad input of the tables below against real services and servers, and
// compares what was tried with docs/security-tests.md; with --write, writes it. Arguments behind it go to Jest.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { table } from './generate/markdown.mjs';
import { runProgram } from './run-program.mjs';

const DOCUMENT = 'docs/security-tests.md';
const TRIED = [
  ['Who gets in by API key', 'services/task-service/test/keys.test.ts'],
  ['Who gets in by token', 'services/task-service/test/jwt.test.ts'],
  ['Who gets in at metrics-service', 'tests/metrics-access.test.ts'],
  ['Who may do what, over HTTP and NATS', 'services/task-service/test/authorization.test.ts'],
  ['Agents against NATS and each other', 'packages/accounts/test/attacks.test.ts'],
  ['Rates, slow clients, sizes', 'services/task-service/test/limits.test.ts'],
  ['Bad input', 'services/task-service/test/bad-input.test.ts'],
  ['The audit', 'services/task-service/test/seals.test.ts'],
];
const LEAST = 100;

const args = process.argv.slice(2);
const isWriting = args.includes('--write');
const { code, results } = await run(args.filter((word) => word !== '--write'));
const tested = TRIED.map(([title, path]) => ({ title, path, rows: rowsOf(results, path) }));
const failed = tested.flatMap(({ path, rows }) =>
  rows.filter(({ status }) => status !== 'passed').map(({ name }) => `${path}: ${name}`),
);
const count = tested.reduce((sum, { rows }) => sum + rows.length, 0);
process.exitCode = code === 0 && failed.length === 0 ? await compare() : 1;
process.stdout.write(`${count - failed.length} passed, ${failed.length} failed\n`);

async function run(words) {
  const folder = mkdtempSync(join(tmpdir(), 'baton-security-'));
  const report = join(folder, 'report.json');
  try {
    const status = await runProgram(process.execPath, [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '--json',
      `--outputFile=${report}`,
      ...words,
      '--runTestsByPath',
      ...TRIED.map(([, path]) => path),
    ]);
    return {
      code: status,
      results: existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : [],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function rowsOf(found, path) {
  const { assertionResults = [] } = found.find(({ name }) => relative(process.cwd(), name) === path) ?? {};
  return assertionResults.map(({ ancestorTitles, title, status }) => ({
    name: [...ancestorTitles, title].join(' '),
    status,
  }));
}

/** 0 where the document says what was tried. */
async function compare() {
  if (count < LEAST) {
    process.stderr.write(`expected at least ${LEAST} rows, got ${count}\n`);
    return 1;
  }
  const text = await format(render(), { ...(await resolveConfig(DOCUMENT)), filepath: DOCUMENT });
  if (isWriting) writeFileSync(DOCUMENT, text);
  if (isWriting || (existsSync(DOCUMENT) && readFileSync(DOCUMENT, 'utf8') === text)) return 0;
  process.stderr.write(`${DOCUMENT} is not what was tried; run "npm run test:security -- --write"\n`);
  return 1;
}

function render() {
  const sections = tested.map(
    ({ title, path, rows }) =>
      `## ${title}\n\n\`${path}\`\n\n${table(
        ['', 'What happens'],
        rows.map(({ name }, index) => [String(index + 1), name.replace(/[<>]/g, '\\$&')]),
      )}\n`,
  );
  return `<!-- Made by "npm run test:security -- --write" from what it tries. Do not edit. -->

# What is tried

${count} attacks and bad inputs, each with what Baton does. \`npm run test:security\` tries all of them against real services, Postgres and nats-server, and fails where one goes another way or this page says something else. What is refused changes nothing that is stored but the audit; a row of bad input stands for all values of its route or message. [threat-model.md](threat-model.md) says what they are about.

${sections.join('\n')}`;
}
