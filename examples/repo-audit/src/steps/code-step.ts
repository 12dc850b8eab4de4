import { parse } from '@baton/contracts';
import type { z } from 'zod';
import { measureFile, type FileMetrics } from '../analyses/file-metrics.js';
import { summarisePart } from '../analyses/part-metrics.js';
import { describeLayout, findDuplicates } from '../analyses/tree-analyses.js';
import { readTexts } from '../git/contents.js';
import { codeInput } from '../plan/inputs.js';
import { filesOf } from '../plan/parts.js';
import { knownTree } from './known-tree.js';
import type { Step } from './step.js';

/** `code.metrics`: measures a part of the tree, finds equal files, or describes the layout. */
export const codeStep: Step = async (input, { signal }) => {
  const request = parse(codeInput, input, 'input of code.metrics');
  const tree = await knownTree(request);
  switch (request.look) {
    case 'duplicates':
      return findDuplicates(tree.files);
    case 'layout':
      return describeLayout(tree);
    case 'part':
      return measurePart({ ...request, signal, files: filesOf(request.part, tree.files) });
  }
};

type PartRequest = Parameters<typeof readTexts>[0] & {
  readonly part: Extract<z.infer<typeof codeInput>, { look: 'part' }>['part'];
};

async function measurePart(request: PartRequest) {
  const files: FileMetrics[] = [];
  const coverage = await readTexts(request, (file, text) => files.push(measureFile(file.path, text)));
  return summarisePart(request.part.name, files, coverage);
}
