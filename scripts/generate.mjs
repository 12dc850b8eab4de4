// npm run generate: writes the documents that are made from code; with --check, fails when one is out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { format, getFileInfo, resolveConfig } from 'prettier';
import { renderAsyncApi } from './generate/asyncapi.mjs';
import { renderAuthorization } from './generate/authorization.mjs';
import { checkAsyncApi } from './generate/check-asyncapi.mjs';
import {
  renderConfiguration,
  renderEnvironmentExample,
  renderKnownNames,
} from './generate/configuration.mjs';
import { renderErrors } from './generate/errors.mjs';
import { renderOpenApi } from './generate/openapi.mjs';
import { checkOpenApi } from './generate/check-openapi.mjs';
import { renderLists } from './generate/lists.mjs';
import { renderMetrics } from './generate/metrics.mjs';
import { renderProtocol } from './generate/protocol.mjs';
import { renderStateMachine } from './generate/state-machine.mjs';

const documents = [
  { path: '.env.example', render: renderEnvironmentExample },
  { path: 'docs/asyncapi.json', render: renderAsyncApi, check: checkAsyncApi },
  { path: 'docs/authorization.md', render: renderAuthorization },
  { path: 'docs/configuration.md', render: renderConfiguration },
  { path: 'docs/errors.md', render: renderErrors },
  { path: 'docs/lists.md', render: renderLists },
  { path: 'docs/metrics.md', render: renderMetrics },
  { path: 'docs/openapi.json', render: renderOpenApi, check: checkOpenApi },
  { path: 'docs/protocol.md', render: renderProtocol },
  { path: 'docs/state-machine.md', render: renderStateMachine },
  { path: 'packages/runtime/src/config/known-names.ts', render: renderKnownNames },
];

const isCheck = process.argv.includes('--check');
const outdated = [];
for (const { path, render, check } of documents) {
  const text = await formatted(path, render());
  await check?.(text);
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

async function formatted(path, text) {
  const { inferredParser } = await getFileInfo(path);
  return inferredParser === null ? text : format(text, { ...(await resolveConfig(path)), filepath: path });
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
