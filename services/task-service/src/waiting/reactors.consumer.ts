import { ConsumesEvents } from '@baton/bus';
import { DURABLES, type TaskEvent } from '@baton/contracts';
import { Controller } from '@nestjs/common';
import { ReactorService } from './reactor.service.js';

@Controller()
export class ReactorsConsumer {
  constructor(private readonly reactor: ReactorService) {}

  @ConsumesEvents({
    stream: 'TASKS',
    durable: DURABLES.reactors,
    subjects: ['task.completed', 'task.failed', 'task.cancelled'],
    maxInFlight: 16,
  })
  ended(events: readonly TaskEvent[]): Promise<void> {
    return this.reactor.ended(events);
  }
}
