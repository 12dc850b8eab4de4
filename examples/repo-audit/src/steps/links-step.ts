import { parse } from '@baton/contracts';
import { languageOf } from '../analyses/languages.js';
import { checkLinks } from '../analyses/links.js';
import { readMarkdown, type MarkdownDocument } from '../analyses/markdown.js';
import { directoriesOf } from '../analyses/tree-analyses.js';
import { readTexts } from '../git/contents.js';
import { snapshotInput } from '../plan/inputs.js';
import { knownTree } from './known-tree.js';
import type { Step } from './step.js';

/** `docs.links`: checks where the links of the Markdown documents lead within the repository. */
export const linksStep: Step = async (input, { signal }) => {
  const request = { ...parse(snapshotInput, input, 'input of docs.links'), signal };
  const { files } = await knownTree(request);
  const written = files.filter((file) => languageOf(file.path).name === 'Markdown');
  const documents = new Map<string, MarkdownDocument>();
  const coverage = await readTexts({ ...request, files: written }, (file, text) => {
    documents.set(file.path, readMarkdown(text));
  });
  const paths = new Set(['', ...files.flatMap(({ path }) => [path, ...directoriesOf(path)])]);
  return { coverage, ...checkLinks({ paths, documents }) };
};
