import type { Usage } from '@baton/contracts';
import type { Outcome } from './outcome.js';
import type { ProgressReport } from './progress.js';
import type { Run } from './runs.js';

/** What runs have told so far: how far they are, and what they have used up, which goes with all they say next. */
export type Told = {
  report(run: Run, report: ProgressReport): ProgressReport;
  /** A report with the usage, as far as the run was when it last told. */
  use(run: Run, usage: Usage): ProgressReport;
  usageOf(run: Run): { readonly usage?: Usage };
  with(run: Run, outcome: Outcome): Outcome;
};

export function createTold(): Told {
  const reports = new WeakMap<Run, ProgressReport>();
  const used = new WeakMap<Run, Usage>();

  function usageOf(run: Run): { readonly usage?: Usage } {
    const usage = used.get(run);
    return usage === undefined ? {} : { usage };
  }

  return {
    report(run, report) {
      reports.set(run, report);
      return { ...report, ...usageOf(run) };
    },
    use(run, usage) {
      used.set(run, most(usage, used.get(run) ?? usage));
      return { ...(reports.get(run) ?? { percent: 0 }), ...usageOf(run) };
    },
    usageOf,
    with: (run, outcome) => ({ ...outcome, fields: { ...outcome.fields, ...usageOf(run) } }) as Outcome,
  };
}

/** What was told of too little, or too late, takes nothing back. */
function most(one: Usage, other: Usage): Usage {
  return {
    inputTokens: Math.max(one.inputTokens, other.inputTokens),
    outputTokens: Math.max(one.outputTokens, other.outputTokens),
    costUsd: Math.max(one.costUsd, other.costUsd),
  };
}
