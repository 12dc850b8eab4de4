import { ConsumesEvents } from '@baton/bus';
import { DURABLES, type TaskEvent } from '@baton/contracts';
import { Controller } from '@nestjs/common';
import { OutcomeService } from '../outcomes/outcome.service.js';
import { ReactorService } from './reactor.service.js';

@Controller()
export class ReactorsConsumer {
  constructor(
    private readonly reactor: ReactorService,
    private readonly outcomes: OutcomeService,
  ) {}

  @ConsumesEvents({
    stream: 'TASKS',
    durable: DURABLES.reactors,
    subjects: ['task.completed', 'task.failed', 'task.cancelled'],
    maxInFlight: 16,
  })
  ended(events: readonly TaskEvent[]): Promise<void> {
    return this.reactor.ended(events);
  }

  /** For itself: nothing that waits for an end waits for what is learned from it. */
  @ConsumesEvents({
    stream: 'TASKS',
    durable: DURABLES.outcomes,
    subjects: ['task.completed', 'task.failed', 'task.queued'],
    maxInFlight: 64,
  })
  outcome(events: readonly TaskEvent[]): Promise<void> {
    return this.outcomes.learn(events);
  }
}
