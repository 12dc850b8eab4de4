import type { FleetEvent, LiveAgent, LiveTask, TaskEvent } from '@baton/contracts';

export function toLiveTask({ subject, taskversion, type: event, time, attempt, data }: TaskEvent): LiveTask {
  const { status, reason, type, priority, agent, parentTaskId, rootTaskId, errorCode } = data;
  const { createdAt, startedAt, completedAt } = data;
  return {
    id: subject,
    version: taskversion,
    event,
    at: time,
    status,
    reason,
    type,
    priority,
    agent,
    attempt,
    parentTaskId,
    rootTaskId,
    errorCode,
    createdAt,
    startedAt,
    completedAt,
  };
}

/** Undefined for what tells of connections. */
export function toLiveAgent({ subject, type: event, time, data }: FleetEvent): LiveAgent | undefined {
  if (!('epoch' in data)) return undefined;
  const { status, reason, maxConcurrent } = data;
  return { id: subject, event, at: time, status, reason, maxConcurrent };
}
