import { randomUUID } from 'node:crypto';
import type { TaskEvent, TaskEventType } from '@baton/contracts';

/** A task event as the task-service writes it. */
export function taskEvent(type: TaskEventType, version = 1, taskId: string = randomUUID()): TaskEvent {
  const now = new Date().toISOString();
  return {
    specversion: '1.0',
    id: `${taskId}:${version}`,
    source: '/task-service',
    type,
    subject: taskId,
    time: now,
    datacontenttype: 'application/json',
    taskversion: version,
    attempt: 0,
    data: {
      status: 'queued',
      reason: null,
      type: 'task',
      priority: 3,
      createdBy: 'user:local',
      agent: null,
      parentTaskId: null,
      rootTaskId: taskId,
      retryCount: 0,
      lostCount: 0,
      createdAt: now,
      firstQueuedAt: now,
      assignedAt: null,
      startedAt: null,
      completedAt: null,
      errorCode: null,
      needs: {
        backlogClass: 'aa',
        queueKey: Date.now(),
        requiredCapabilities: [{ name: 'docs' }],
        preferredCapabilities: [],
        criteria: {},
        skippedAgents: [],
        connectedFrom: null,
      },
    },
  };
}
