export type Status =
  'created' | 'queued' | 'blocked' | 'assigned' | 'in_progress' | 'completed' | 'failed' | 'cancelled';

export const TERMINAL: readonly string[] = ['completed', 'failed', 'cancelled'];

/** Who may have said it: the agent that holds the task or a user in its stead, the system, the distribution, or whoever may. */
type By = 'holder' | 'operator' | 'system' | 'distribution' | 'anyone';

/** One legal step of a task: nothing else may stand in a history. `reasons` undefined: whatever was given. */
type Move = {
  readonly from: Status | 'nothing';
  readonly event: string;
  readonly to: Status;
  readonly by: readonly By[];
  readonly reasons?: readonly (string | null)[];
};

/** The life of a task as the documents tell it, written down once more, on purpose: the services have their own. */
const MOVES: readonly Move[] = [
  move('nothing', 'task.created', 'queued', ['anyone'], ['created']),
  move('nothing', 'task.created', 'blocked', ['anyone'], ['dependency']),
  move('nothing', 'task.created', 'created', ['anyone'], ['held']),
  move('created', 'task.queued', 'queued', ['anyone'], ['released']),
  move('created', 'task.blocked', 'blocked', ['anyone'], ['dependency']),
  move('created', 'task.failed', 'failed', ['system'], ['expired']),
  move('queued', 'task.queued', 'queued', ['system'], ['due', 'pin_expired', 'expired']),
  ...(['failed', 'cancelled'] as const).flatMap((from) => [
    move(from, 'task.queued', 'queued', ['anyone'], ['reopened']),
    move(from, 'task.blocked', 'blocked', ['anyone'], ['dependency']),
  ]),
  move('queued', 'task.queued', 'queued', ['operator'], ['pinned', 'redistributed']),
  move('queued', 'task.assigned', 'assigned', ['operator'], [null]),
  move('queued', 'task.assigned', 'assigned', ['distribution'], [null]),
  move('queued', 'task.failed', 'failed', ['system'], ['expired']),
  ...(['created', 'queued', 'blocked'] as const).map((from) => move(from, 'task.updated', from, ['anyone'])),
  move('queued', 'task.blocked', 'blocked', ['anyone'], ['dependency']),
  // What a task waits for outside of Baton is told by whoever may, as are answers; an edge may be taken away.
  move('blocked', 'task.queued', 'queued', ['anyone'], ['unblocked', 'answered']),
  move('blocked', 'task.failed', 'failed', ['anyone'], ['denied']),
  move('blocked', 'task.failed', 'failed', ['system'], ['dependency_failed', 'expired']),
  ...(['assigned', 'in_progress'] as const).map((from) =>
    move(from, 'task.blocked', 'blocked', ['holder'], ['children', 'input', 'approval', 'auth', 'external']),
  ),
  move('assigned', 'task.started', 'in_progress', ['holder'], [null]),
  move('assigned', 'task.queued', 'queued', ['holder'], ['retry', 'rate_limited', 'returned', 'expired']),
  move('assigned', 'task.queued', 'queued', ['system'], ['expired', 'not_started']),
  move('assigned', 'task.failed', 'failed', ['holder'], ['retries_exhausted', 'not_retryable']),
  move('assigned', 'task.failed', 'failed', ['holder', 'system'], ['undeliverable']),
  move('assigned', 'task.failed', 'failed', ['system'], ['expired']),
  move('in_progress', 'task.completed', 'completed', ['holder'], [null]),
  move('in_progress', 'task.queued', 'queued', ['holder'], ['retry', 'rate_limited', 'returned']),
  move('in_progress', 'task.queued', 'queued', ['system'], ['retry', 'expired']),
  move('in_progress', 'task.queued', 'queued', ['distribution'], ['forgotten']),
  move('in_progress', 'task.failed', 'failed', ['distribution'], ['agent_lost']),
  move('in_progress', 'task.failed', 'failed', ['holder'], ['retries_exhausted', 'not_retryable']),
  move('in_progress', 'task.failed', 'failed', ['system'], ['retries_exhausted', 'agent_lost', 'expired']),
  ...(['assigned', 'in_progress'] as const).flatMap((from) => [
    move(from, 'task.delegated', 'assigned', ['holder'], ['delegated']),
    move(from, 'task.delegated', 'queued', ['holder'], ['delegated']),
    move(from, 'task.assigned', 'assigned', ['operator'], ['reassigned']),
    move(from, 'task.queued', 'queued', ['operator'], ['reassigned']),
    move(from, 'task.failed', 'failed', ['system'], ['budget_exceeded']),
  ]),
  ...(['created', 'queued', 'blocked', 'assigned', 'in_progress'] as const).flatMap((from) => [
    move(from, 'task.cancelled', 'cancelled', ['anyone']),
    move(from, 'task.updated', from, ['anyone']),
  ]),
];

/** Whether a task in `from`, held by `holder`, may have gone to `to` like this. */
export function isLegal(step: {
  readonly from: Status | 'nothing';
  readonly event: string;
  readonly to: Status;
  readonly actor: string;
  readonly reason: string | null;
  readonly holder: string | null;
}): boolean {
  return MOVES.some(
    ({ from, event, to, by, reasons }) =>
      from === step.from &&
      event === step.event &&
      to === step.to &&
      (reasons === undefined || reasons.includes(step.reason)) &&
      by.some((one) => isBy(one, step.actor, step.holder)),
  );
}

function isBy(by: By, actor: string, holder: string | null): boolean {
  switch (by) {
    case 'anyone':
      return true;
    case 'operator':
      return actor.startsWith('user:');
    case 'system':
      return actor.startsWith('system:');
    case 'distribution':
      return actor === 'service:distribution';
    case 'holder':
      return holder !== null && (actor === `agent:${holder}` || actor.startsWith('user:'));
  }
}

function move(
  from: Move['from'],
  event: string,
  to: Status,
  by: Move['by'],
  reasons?: Move['reasons'],
): Move {
  return { from, event, to, by, ...(reasons === undefined ? {} : { reasons }) };
}
