import { ConsumesEvents } from '@baton/bus';
import { DURABLES, FLEET_EVENT_TYPES, STREAMS, type FleetEvent } from '@baton/contracts';
import { Controller } from '@nestjs/common';
import { CapacityService } from './capacity.service.js';

/** Every event of the fleet, from the durable that all replicas share. */
@Controller()
export class FleetConsumer {
  constructor(private readonly service: CapacityService) {}

  @ConsumesEvents({ stream: STREAMS.FLEET.name, durable: DURABLES.metrics, subjects: FLEET_EVENT_TYPES })
  follow(events: FleetEvent[]): Promise<void> {
    return this.service.follow(events);
  }
}
