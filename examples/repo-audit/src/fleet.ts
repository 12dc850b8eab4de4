import type { StepName } from './steps/steps.js';

/** An agent of the demo: a process that does some kinds of steps, so many at a time. */
export type FleetAgent = {
  readonly id: string;
  readonly capabilities: readonly StepName[];
  readonly maxConcurrent: number;
};

/** All agents of the demo. Two share `code.metrics`, so that one can be killed. */
export const fleet: readonly FleetAgent[] = [
  { id: 'planner', capabilities: ['audit.plan'], maxConcurrent: 1 },
  { id: 'code-metrics-1', capabilities: ['code.metrics'], maxConcurrent: 2 },
  { id: 'code-metrics-2', capabilities: ['code.metrics'], maxConcurrent: 2 },
  { id: 'historian', capabilities: ['git.history'], maxConcurrent: 2 },
  { id: 'inspector', capabilities: ['deps.licences', 'docs.links', 'files.scan'], maxConcurrent: 2 },
  { id: 'reporter', capabilities: ['report.merge', 'report.write'], maxConcurrent: 1 },
];
