import type { QueuedTask } from '@baton/contracts';
import { queueKeyOf } from './push.js';
import type { SimTask } from './world.js';

/** A task as events and the backlog tell of it. */
export function toQueued(task: SimTask, version: number): QueuedTask {
  const { id, kind, priority } = task;
  return {
    id,
    version,
    type: 'task',
    priority,
    firstQueuedAt: '2026-01-01T00:00:00.000Z',
    needs: {
      backlogClass: kind.name,
      queueKey: queueKeyOf(task),
      requiredCapabilities: kind.skills.map((name) => ({ name })),
      preferredCapabilities: [],
      criteria: {},
      skippedAgents: [],
      connectedFrom: null,
    },
  };
}
