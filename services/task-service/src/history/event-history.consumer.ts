import { Replies } from '@baton/bus';
import { eventsRequest, parse, QUEUE_GROUPS, SERVICE_SUBJECTS } from '@baton/contracts';
import { Controller } from '@nestjs/common';
import { EventHistory } from './event-history.service.js';

@Controller()
export class EventHistoryConsumer {
  constructor(private readonly history: EventHistory) {}

  @Replies(SERVICE_SUBJECTS.events, { queue: QUEUE_GROUPS.task })
  page(body: unknown) {
    return this.history.page(parse(eventsRequest, body, SERVICE_SUBJECTS.events));
  }
}
