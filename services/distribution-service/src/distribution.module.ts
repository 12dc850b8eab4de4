import { BUS, type Bus } from '@baton/bus';
import { Module, type DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import { AssignmentService } from './assignment/assignment.service.js';
import { ChoiceController } from './assignment/choice.controller.js';
import { BestController } from './assignment/best.controller.js';
import { BacklogService } from './backlog/backlog.service.js';
import { TaskEventsConsumer } from './backlog/task-events.consumer.js';
import { FleetService } from './fleet/fleet.service.js';
import { HintsConsumer } from './fleet/hints.consumer.js';
import { SnapshotService } from './fleet/snapshot.service.js';
import { LOGGER } from './logger.js';
import { ForgottenService } from './presence/forgotten.service.js';
import { PresenceService, PROBE } from './presence/presence.service.js';
import { LeaseService } from './shards/lease.service.js';
import { NeighboursService } from './shards/neighbours.service.js';
import { PlaceConsumer } from './shards/place.consumer.js';

@Module({})
class DistributionModule {}

type Connections = { readonly bus: Bus; readonly probe: Bus; readonly logger: Logger };

/** The whole service around its connections, which may be one. */
export function distributionModule({ bus, probe, logger }: Connections): DynamicModule {
  return {
    module: DistributionModule,
    controllers: [ChoiceController, BestController, TaskEventsConsumer],
    providers: [
      { provide: BUS, useValue: bus },
      { provide: PROBE, useValue: probe },
      { provide: LOGGER, useValue: logger },
      FleetService,
      SnapshotService,
      HintsConsumer,
      ForgottenService,
      LeaseService,
      PresenceService,
      AssignmentService,
      NeighboursService,
      BacklogService,
      PlaceConsumer,
    ],
  };
}
