import type { CreateGraphInput, JsonObject } from '@baton/contracts';
import type { Repository } from '../git/repository.js';
import type { Tree } from '../git/tree.js';
import { AUDIT_LIMITS } from '../limits.js';
import { clip } from '../text.js';
import { historyLooks } from './inputs.js';
import { divideTree } from './parts.js';

type PlannedTask = CreateGraphInput['tasks'][number];

export type AuditPlan = {
  readonly repository: Repository;
  readonly tree: Tree;
  readonly reportPath: string;
  /** Copied to every task, so that the tasks of one audit can be told from others. */
  readonly metadata: JsonObject;
};

const historyTitles: Readonly<Record<(typeof historyLooks)[number], string>> = {
  activity: 'Count commits by month',
  authors: 'Count commits by author',
  churn: 'Find the files that change most',
  largeCommits: 'Find the largest commits',
};

/** The tasks of an audit: looks at the repository, two that merge looks, and the report that waits for all. */
export function planAudit(plan: AuditPlan): CreateGraphInput {
  const { repository, tree, metadata } = plan;
  const { path, commit } = repository;
  const task = (
    ref: string,
    type: string,
    title: string,
    input: JsonObject,
    needs: readonly string[] = [],
  ) => ({
    ref,
    type,
    title: clip(title, 200),
    metadata,
    requiredCapabilities: [{ name: type }],
    tags: ['audit'],
    input,
    dependencies: needs.map((need) => ({ ref: need, name: need })),
  });
  const look = (ref: string, type: string, title: string, input: JsonObject = {}) =>
    task(ref, type, title, { repository: path, commit, ...input });

  const parts: PlannedTask[] = divideTree(tree.files, AUDIT_LIMITS.parts).map((part, index) =>
    look(`part-${index + 1}`, 'code.metrics', `Measure ${part.name}`, { look: 'part', part }),
  );
  const histories = historyLooks.map((kind) =>
    look(kind, 'git.history', historyTitles[kind], { look: kind }),
  );
  const others = [
    look('duplicates', 'code.metrics', 'Find equal files', { look: 'duplicates' }),
    look('layout', 'code.metrics', 'Describe the layout of the tree', { look: 'layout' }),
    look('licences', 'deps.licences', 'Read manifests and licences'),
    look('links', 'docs.links', 'Check the links of the documents'),
    look('secrets', 'files.scan', 'Look for secrets', { look: 'secrets' }),
    look('largeFiles', 'files.scan', 'Find the largest files', { look: 'largeFiles' }),
  ];
  const merges = [
    task('code', 'report.merge', 'Add up the parts', { of: 'code' }, parts.map(refOf)),
    task('history', 'report.merge', 'Sum up the history', { of: 'history' }, histories.map(refOf)),
  ];
  const { name, branch, shallow, partial } = repository;
  const about = { reportPath: plan.reportPath, name: clip(name, 100), commit, branch, shallow, partial };
  const write = task('report', 'report.write', 'Write the report', about, [...merges, ...others].map(refOf));
  return { tasks: [...histories, ...parts, ...others, ...merges, write] };
}

function refOf(task: PlannedTask): string {
  return task.ref;
}
