import { DomainError, type Budget } from '@baton/contracts';

/** What a tree may use, and what it has used: its tasks and what their attempts told, deleted ones too. */
export type TreeSpending = {
  readonly rootTaskId: string;
  readonly budget: Budget;
  readonly tasks: number;
  readonly tokens: number;
  readonly costUsd: number;
};

/** Why no more tasks may be added to a tree; `now` is in milliseconds of the epoch. */
export function refuseSpawn(
  { budget, tasks, tokens, costUsd }: TreeSpending,
  adding: number,
  now: number,
): DomainError | undefined {
  const { maxTasks = Infinity, maxTokens = Infinity, maxCostUsd = Infinity, deadline } = budget;
  if (tasks + adding > maxTasks)
    return exceeded(`${maxTasks} tasks; it has ${tasks}, and ${adding} more come`);
  if (tokens >= maxTokens) return exceeded(`${maxTokens} tokens; ${tokens} are used`);
  if (costUsd >= maxCostUsd) return exceeded(`${maxCostUsd} USD; ${costUsd} are spent`);
  if (deadline !== undefined && Date.parse(deadline) <= now) return exceeded(`time until ${deadline}`);
  return undefined;
}

/** What of its budget a tree has used more of than there is, so that its running work ends; nothing while it has not. */
export function overspent({ budget, tokens, costUsd }: TreeSpending, now: number): string | undefined {
  const { maxTokens = Infinity, maxCostUsd = Infinity, deadline } = budget;
  if (tokens > maxTokens) return `its tree used ${tokens} of ${maxTokens} tokens`;
  if (costUsd > maxCostUsd) return `its tree spent ${costUsd} of ${maxCostUsd} USD`;
  if (deadline !== undefined && Date.parse(deadline) <= now) return `its tree had time until ${deadline}`;
  return undefined;
}

function exceeded(budget: string): DomainError {
  return new DomainError('BUDGET_EXCEEDED', `The tree has a budget of ${budget}`);
}
