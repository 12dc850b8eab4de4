import { ConsumesEvents } from '@baton/bus';
import { DURABLES, type QueuedTask, type TaskEvent } from '@baton/contracts';
import { Controller } from '@nestjs/common';
import { BacklogService } from './backlog.service.js';

/** Takes tasks that became ready, or ask for something else since, from the events. A message is done after one attempt, whatever came of it. */
@Controller()
export class TaskEventsConsumer {
  constructor(private readonly backlog: BacklogService) {}

  @ConsumesEvents({
    stream: 'TASKS',
    durable: DURABLES.distribution,
    subjects: ['task.created', 'task.queued', 'task.delegated', 'task.updated'],
    maxInFlight: 256,
  })
  async ready(events: readonly TaskEvent[]): Promise<void> {
    await this.backlog.arrived(events.flatMap(toQueuedTask));
  }
}

function toQueuedTask(event: TaskEvent): readonly QueuedTask[] {
  const { status, type, priority, firstQueuedAt, needs } = event.data;
  const backlogClass = needs?.backlogClass ?? null;
  if (status !== 'queued' || needs === undefined || backlogClass === null) return [];
  return [
    {
      id: event.subject,
      version: event.taskversion,
      type,
      priority,
      firstQueuedAt: firstQueuedAt ?? event.time,
      ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
      needs: { ...needs, backlogClass },
    },
  ];
}
