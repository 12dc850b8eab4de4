import type { TaskEvent, TaskEventType } from '@baton/contracts';
import { needsOf, taskEvent as eventOf } from '@baton/testkit';

/** An event of a task that is ready, as a consumer gets it. */
export function taskEvent(type: TaskEventType, version = 1, taskId?: string): TaskEvent {
  return eventOf(type, {
    version,
    data: { needs: needsOf('docs') },
    ...(taskId === undefined ? {} : { taskId }),
  });
}
