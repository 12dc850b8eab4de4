import { parse } from '@baton/contracts';
import type { z } from 'zod';
import { mergeParts } from '../analyses/part-metrics.js';
import { mergeInput } from '../plan/inputs.js';
import { historyFindings, partMetrics } from '../results.js';
import type { Step, StepContext } from '../steps/step.js';
import { remarksOn } from './history-remarks.js';

/** `report.merge`: makes one result of those of the tasks it waited for. */
export const mergeStep: Step = async (input, { results }) => {
  const { of } = parse(mergeInput, input, 'input of report.merge');
  if (of === 'code') {
    const parts = [...results].map(([name, result]) => parse(partMetrics, result, `result of ${name}`));
    return mergeParts(parts);
  }
  const { activity, authors, churn, largeCommits } = historyFindings.shape;
  const views = {
    activity: resultOf(results, 'activity', activity),
    authors: resultOf(results, 'authors', authors),
    churn: resultOf(results, 'churn', churn),
    largeCommits: resultOf(results, 'largeCommits', largeCommits),
  };
  return { ...views, remarks: remarksOn(views) };
};

/** The checked result of the dependency that the plan calls `name`. */
export function resultOf<T extends z.ZodType>(
  results: StepContext['results'],
  name: string,
  schema: T,
): z.output<T> {
  return parse(schema, results.get(name), `result of ${name}`);
}
