import { mergeStep } from '../report/merge-step.js';
import { writeStep } from '../report/write-step.js';
import { codeStep } from './code-step.js';
import { historyStep } from './history-step.js';
import { licencesStep } from './licences-step.js';
import { linksStep } from './links-step.js';
import { planStep } from './plan-step.js';
import { scanStep } from './scan-step.js';
import type { Step } from './step.js';

/** What is done for each type of task; the capability an agent needs has the same name. */
export const steps = {
  'audit.plan': planStep,
  'code.metrics': codeStep,
  'git.history': historyStep,
  'deps.licences': licencesStep,
  'docs.links': linksStep,
  'files.scan': scanStep,
  'report.merge': mergeStep,
  'report.write': writeStep,
} satisfies Record<string, Step>;

export type StepName = keyof typeof steps;
