import type { DynamicModule } from '@nestjs/common';
import { CapacityService } from './fleet/capacity.service.js';
import { FleetConsumer } from './fleet/fleet.consumer.js';
import { IngestConsumer } from './ingest/ingest.consumer.js';
import { IngestService } from './ingest/ingest.service.js';
import { LiveController } from './live/live.controller.js';
import { LiveService } from './live/live.service.js';
import { ReportController } from './reports/report.controller.js';
import { ReportService } from './reports/report.service.js';
import { SystemService } from './reports/system.service.js';

export type MetricsServices = {
  readonly ingest: IngestService;
  readonly capacity: CapacityService;
  readonly reports: ReportService;
  readonly system: SystemService;
  readonly live: LiveService;
};

/** The two edges of metrics-service: events in, reports out. */
export class MetricsModule {
  static with(services: MetricsServices): DynamicModule {
    return {
      module: MetricsModule,
      controllers: [IngestConsumer, FleetConsumer, ReportController, LiveController],
      providers: [
        { provide: IngestService, useValue: services.ingest },
        { provide: CapacityService, useValue: services.capacity },
        { provide: ReportService, useValue: services.reports },
        { provide: SystemService, useValue: services.system },
        { provide: LiveService, useValue: services.live },
      ],
    };
  }
}
