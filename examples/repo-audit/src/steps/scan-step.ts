import { parse } from '@baton/contracts';
import { findSecrets } from '../analyses/secrets.js';
import { findLargeFiles } from '../analyses/tree-analyses.js';
import { readTexts } from '../git/contents.js';
import { scanInput } from '../plan/inputs.js';
import type { Secrets } from '../results.js';
import { clip } from '../text.js';
import { knownTree } from './known-tree.js';
import type { Step } from './step.js';

const findingsShown = 50;

/** `files.scan`: lists the largest files, or looks for secrets in all text files. */
export const scanStep: Step = async (input, { signal }) => {
  const request = { ...parse(scanInput, input, 'input of files.scan'), signal };
  const { files } = await knownTree(request);
  return request.look === 'largeFiles' ? findLargeFiles(files) : scanForSecrets({ ...request, files });
};

async function scanForSecrets(request: Parameters<typeof readTexts>[0]): Promise<Secrets> {
  const findings: Secrets['findings'] = [];
  const coverage = await readTexts(request, (file, text) => {
    for (const { line, kind } of findSecrets(text)) findings.push({ path: clip(file.path), line, kind });
  });
  return { coverage, findings: findings.slice(0, findingsShown), count: findings.length };
}
