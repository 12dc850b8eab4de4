import { parse } from '@baton/contracts';
import { openRepository } from '../git/repository.js';
import { listTree } from '../git/tree.js';
import { ecosystemOf } from '../analyses/licences.js';
import { languageOf } from '../analyses/languages.js';
import { planInput } from '../plan/inputs.js';
import { planAudit } from '../plan/plan-audit.js';
import type { Step } from './step.js';

/** `audit.plan`: reads the repository and creates the tasks of its audit. */
export const planStep: Step = async (input, context) => {
  const { repo, reportPath } = parse(planInput, input, 'input of audit.plan');
  const repository = await openRepository(repo);
  const { signal, metadata } = context;
  const tree = await listTree({ repository: repository.path, commit: repository.commit, signal });
  const paths = tree.files.map((file) => file.path);
  const tasks = await context.spawn(planAudit({ repository, tree, reportPath, metadata }));
  const languages = paths.map((path) => languageOf(path)).filter((language) => language.kind === 'code');
  return {
    tasks,
    commit: repository.commit,
    files: tree.files.length,
    bytes: tree.files.reduce((sum, file) => sum + (file.bytes ?? 0), 0),
    languages: [...new Set(languages.map((language) => language.name))].slice(0, 20),
    manifests: paths.filter((path) => ecosystemOf(path) !== undefined).length,
    documents: paths.filter((path) => languageOf(path).name === 'Markdown').length,
  };
};
