import { parse } from '@baton/contracts';
import { activityOf, authorsOf, churnOf, largeCommitsOf } from '../analyses/history.js';
import { readChanges, readLog } from '../git/commits.js';
import { GitError } from '../git/run-git.js';
import { AUDIT_LIMITS } from '../limits.js';
import { historyInput } from '../plan/inputs.js';
import type { Step } from './step.js';

/** `git.history`: one look at the commits. */
export const historyStep: Step = async (input, { signal }) => {
  const request = { ...parse(historyInput, input, 'input of git.history'), signal };
  const log = () => readLog({ ...request, limit: AUDIT_LIMITS.commits });
  const changes = () => readChanges({ ...request, limit: AUDIT_LIMITS.changedCommits });
  const looks = {
    activity: async () => activityOf(await log()),
    authors: async () => authorsOf(await log()),
    churn: async () => churnOf(await changes()),
    largeCommits: async () => largeCommitsOf(await changes()),
  };
  try {
    return await looks[request.look]();
  } catch (error) {
    // A clone without all objects has no complete history; the rest of the audit is still worth having.
    if (error instanceof GitError) return { unavailable: error.message };
    throw error;
  }
};
