import type { Orphan } from './waiting.store.js';
import type { Submission } from '../write-path/submission.js';

/** A background command of the system on one task; all of them are harmless when there is nothing to do. */
export function systemCommand(
  kind: 'unblock' | 'due',
  taskId: string,
  by: 'reactor' | 'reconciler' | 'timer',
): Submission {
  return {
    command: { kind, taskId },
    actor: `system:${by}`,
    traceparent: null,
    commandId: null,
    bytes: 0,
    background: true,
  };
}

/** Calls a child off because its parent was given up. */
export function cascadeCancel(
  { id: taskId, parentStatus }: Orphan,
  by: 'reactor' | 'reconciler',
): Submission {
  return {
    command: { kind: 'cancel', taskId, reason: `parent_${parentStatus}` },
    actor: `system:${by}`,
    traceparent: null,
    commandId: null,
    bytes: 0,
    background: true,
  };
}
