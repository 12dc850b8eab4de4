import {
  parseFilter,
  TASK_STATUSES,
  toFilter,
  type CreateOperation,
  type JsonObject,
  type OperationAction,
  type TaskFilter,
} from '@baton/contracts';
import { changedFields } from '../tasks/changed-fields.js';
import { allows, type ArrowName, type TaskCommand } from '../tasks/task.state.js';

/** What an action takes beside the filter. */
type Parameters<Action extends OperationAction> = Extract<
  CreateOperation,
  { readonly action: Action }
>['with'];

type Actions = {
  readonly [Action in OperationAction]: {
    readonly arrow: ArrowName;
    readonly toCommand: (taskId: string, parameters: Parameters<Action>) => TaskCommand;
  };
};

/** What each action does to one task. */
const ACTIONS: Actions = {
  cancel: {
    arrow: 'cancel',
    toCommand: (taskId, { reason = 'requested' }) => ({ kind: 'cancel', taskId, reason }),
  },
  reopen: {
    arrow: 'reopen',
    toCommand: (taskId, changes) => ({ kind: 'reopen', taskId, changes: changedFields(changes) }),
  },
  reprioritise: {
    arrow: 'update',
    toCommand: (taskId, changes) => ({ kind: 'update', taskId, changes, merge: false }),
  },
  reassign: {
    arrow: 'reassign',
    toCommand: (taskId, { agentId = null }) => ({ kind: 'reassign', taskId, agentId }),
  },
  delete: { arrow: 'delete', toCommand: (taskId) => ({ kind: 'delete', taskId }) },
};

/** Ids of tasks that were answered already may be so much ahead of the clock of this replica. */
const CLOCK_SLACK_MS = 10;

/**
 * The tasks an operation is about: those of its filter, in a status its action starts from, that were there when it
 * began (milliseconds of the epoch). So it comes to an end whatever is created meanwhile, and what has ended is not
 * looked at one by one to be refused. Throws QueryError.
 */
export function filterOf(action: OperationAction, q: string, begunAt: number): TaskFilter {
  const startsFrom = TASK_STATUSES.filter((status) => allows(ACTIONS[action].arrow, status));
  return toFilter([
    ...parseFilter(q),
    { field: 'status', any: startsFrom },
    { field: 'created', before: begunAt + CLOCK_SLACK_MS },
  ]);
}

/** The command an operation gives to a task; `parameters` were checked when it was begun. */
export function commandOf(action: OperationAction, taskId: string, parameters: JsonObject): TaskCommand {
  return (ACTIONS[action].toCommand as (taskId: string, parameters: JsonObject) => TaskCommand)(
    taskId,
    parameters,
  );
}
