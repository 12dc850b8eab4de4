import { randomUUID } from 'node:crypto';

import type { TaskEvent, TaskEventData, TaskEventType } from '@baton/contracts';

/** What a test says about a task event; the rest is that of a plain task that is ready. */
export interface TaskEventOptions {
  readonly taskId?: string;
  /** ISO 8601; now unless said. */
  readonly time?: string;
  readonly version?: number;
  readonly attempt?: number;
  readonly data?: Partial<TaskEventData>;
}

/** A task event as task-service publishes it. */
export function taskEvent(type: TaskEventType, options: TaskEventOptions = {}): TaskEvent {
  const { taskId = randomUUID(), time = new Date().toISOString(), version = 1, attempt = 0, data } = options;
  return {
    specversion: '1.0',
    id: `${taskId}:${version}`,
    source: '/task-service',
    type,
    subject: taskId,
    time,
    datacontenttype: 'application/json',
    taskversion: version,
    attempt,
    data: {
      status: 'queued',
      reason: null,
      type: 'task',
      priority: 3,
      createdBy: 'user:test',
      agent: null,
      parentTaskId: null,
      rootTaskId: taskId,
      retryCount: 0,
      lostCount: 0,
      createdAt: time,
      firstQueuedAt: time,
      assignedAt: null,
      startedAt: null,
      completedAt: null,
      errorCode: null,
      ...data,
    },
  };
}

/** The needs of a task that any agent with `capability` can do. */
export function needsOf(capability: string): NonNullable<TaskEventData['needs']> {
  return {
    backlogClass: `needs-${capability}`,
    queueKey: Date.now(),
    requiredCapabilities: [{ name: capability }],
    preferredCapabilities: [],
    criteria: {},
    skippedAgents: [],
    connectedFrom: null,
  };
}
