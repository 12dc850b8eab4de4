import { createGraph, LIMITS } from '@baton/contracts';
import { describe, expect, it } from '@jest/globals';
import { fleet } from '../fleet.js';
import type { TreeFile } from '../git/tree.js';
import { steps } from '../steps/steps.js';
import { planAudit } from './plan-audit.js';

const repository = {
  path: '/repositories/thing',
  name: 'thing',
  commit: 'a'.repeat(40),
  branch: 'main',
  shallow: false,
  partial: false,
};
const plan = (paths: readonly string[]) => {
  const files = paths.map((path): TreeFile => ({ path, oid: path, kind: 'file', bytes: 100 }));
  const tree = { files, truncated: false };
  return createGraph.parse(
    planAudit({ repository, tree, reportPath: '/tmp/report.md', metadata: { demoRun: 'x' } }),
  );
};

describe('planAudit', () => {
  it('is a graph of at least 8 tasks even for an empty repository', () => {
    expect(plan([]).tasks.length).toBeGreaterThanOrEqual(8);
  });

  it('grows with the repository and stays within the children a task may have', () => {
    const small = plan(['a']).tasks.length;
    const large = plan(Array.from({ length: 5_000 }, (_, index) => `folder-${index % 70}/file-${index}`));
    expect(large.tasks.length).toBeGreaterThan(small + 20);
    expect(large.tasks.length).toBeLessThanOrEqual(LIMITS.childrenPerTask);
  });

  it('lets the report wait for everything, directly or through a merge', () => {
    const { tasks } = plan(['a/b', 'c/d']);
    const needs = new Map(tasks.map((task) => [task.ref, task.dependencies.map(refOf)]));
    const reached = new Set<string>();
    const visit = (ref: string): void => {
      reached.add(ref);
      for (const need of needs.get(ref) ?? []) visit(need);
    };
    visit('report');
    expect(reached.size).toBe(tasks.length);
  });

  it('names each dependency as its result is looked up, and only tasks that are planned before', () => {
    const { tasks } = plan(['a/b']);
    const seen = new Set<string>();
    for (const task of tasks) {
      for (const dependency of task.dependencies) {
        expect(dependency.name).toBe(refOf(dependency));
        expect(seen).toContain(refOf(dependency));
      }
      seen.add(task.ref);
    }
  });

  it('has an agent and a step for every task, and at least two code.metrics agents', () => {
    for (const task of plan(['a/b']).tasks) {
      expect(Object.keys(steps)).toContain(task.type);
      expect(fleet.some(({ capabilities }) => capabilities.some((name) => name === task.type))).toBe(true);
    }
    expect(fleet.filter(({ capabilities }) => capabilities.includes('code.metrics')).length).toBe(2);
    expect(new Set(fleet.map(({ capabilities }) => capabilities.join())).size).toBeGreaterThanOrEqual(4);
  });

  it('marks every task with the run it belongs to', () => {
    expect(plan(['a']).tasks.every((task) => task.metadata['demoRun'] === 'x')).toBe(true);
  });

  it('takes names that no title could hold', () => {
    expect(() => plan([`${'x'.repeat(900)}\n\t"|\u0001/y`])).not.toThrow();
  });
});

function refOf(dependency: { ref: string } | { taskId: string }): string {
  return 'ref' in dependency ? dependency.ref : dependency.taskId;
}
