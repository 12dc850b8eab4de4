import { ConsumesEvents } from '@baton/bus';
import { DURABLES, STREAMS, TASK_EVENT_TYPES, type TaskEvent } from '@baton/contracts';
import { Controller } from '@nestjs/common';
import { IngestService } from './ingest.service.js';

/** Every task event, from the durable that all replicas share. */
@Controller()
export class IngestConsumer {
  constructor(private readonly service: IngestService) {}

  /** A message is acknowledged once its figures are committed. */
  @ConsumesEvents({
    stream: STREAMS.TASKS.name,
    durable: DURABLES.metrics,
    subjects: TASK_EVENT_TYPES,
    maxInFlight: 500,
  })
  ingest(events: TaskEvent[]): Promise<void> {
    return this.service.ingest(events);
  }
}
