import type { DynamicModule } from '@nestjs/common';
import { IngestConsumer } from './ingest/ingest.consumer.js';
import { IngestService } from './ingest/ingest.service.js';
import { ReportController } from './reports/report.controller.js';
import { ReportService } from './reports/report.service.js';

/** The two edges of metrics-service: events in, reports out. */
export class MetricsModule {
  static with(services: { readonly ingest: IngestService; readonly reports: ReportService }): DynamicModule {
    return {
      module: MetricsModule,
      controllers: [IngestConsumer, ReportController],
      providers: [
        { provide: IngestService, useValue: services.ingest },
        { provide: ReportService, useValue: services.reports },
      ],
    };
  }
}
