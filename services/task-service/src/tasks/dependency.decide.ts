import { isTerminal, type DependencyPolicy, type TaskStatus } from '@baton/contracts';

/** A dependency as its dependent sees it. */
export type Edge = {
  readonly taskId: string;
  readonly policy: DependencyPolicy;
  readonly name: string | null;
  readonly status: TaskStatus;
};

/** What its dependencies make of a dependent: it may go on, must wait, or ends because of one of them. */
export type Verdict =
  | { readonly is: 'met' }
  | { readonly is: 'unmet' }
  | { readonly is: 'fail' | 'cancel'; readonly cause: Edge };

/**
 * A fresh look at every edge, never a counter: no order of ends and reopenings can miscount. What ends the dependent
 * is not waited for: the first edge that does so decides, one that fails it before one that cancels it.
 */
export function verdictOf(edges: readonly Edge[]): Verdict {
  const broken = (policy: DependencyPolicy) =>
    edges.find((edge) => edge.policy === policy && isBroken(edge.status));
  const failing = broken('fail');
  if (failing !== undefined) return { is: 'fail', cause: failing };
  const cancelling = broken('cancel');
  if (cancelling !== undefined) return { is: 'cancel', cause: cancelling };
  return { is: edges.every(isMet) ? 'met' : 'unmet' };
}

/** Whether this edge holds its dependent back no more. */
export function isMet({ policy, status }: Pick<Edge, 'policy' | 'status'>): boolean {
  return status === 'completed' || (policy === 'ignore' && isBroken(status));
}

function isBroken(status: TaskStatus): boolean {
  return isTerminal(status) && status !== 'completed';
}
