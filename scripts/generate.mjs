// npm run generate: writes the documents that are made from code; with --check, fails when one is out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { renderErrors } from './generate/errors.mjs';
import { renderProtocol } from './generate/protocol.mjs';
import { renderStateMachine } from './generate/state-machine.mjs';

const documents = [
  { path: 'docs/errors.md', render: renderErrors },
  { path: 'docs/protocol.md', render: renderProtocol },
  { path: 'docs/state-machine.md', render: renderStateMachine },
];

const isCheck = process.argv.includes('--check');
const outdated = [];
for (const { path, render } of documents) {
  const text = await format(render(), { ...(await resolveConfig(path)), filepath: path });
  if (text === read(path)) continue;
  outdated.push(path);
  if (!isCheck) write(path, text);
}

if (isCheck && outdated.length > 0) {
  console.error(
    `${outdated.join(', ')}: not what the code says; run "npm run generate" and commit the result`,
  );
  process.exitCode = 1;
} else {
  console.log(outdated.length > 0 ? `wrote ${outdated.join(', ')}` : 'every generated file is up to date');
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
