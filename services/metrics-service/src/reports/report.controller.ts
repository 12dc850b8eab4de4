import { parse } from '@baton/contracts';
import { Controller, Get, Query } from '@nestjs/common';
import type { TaskReport } from './report.fold.js';
import { reportQuery } from './report.query.js';
import { ReportService } from './report.service.js';

/** The metrics API. */
@Controller('v1/metrics')
export class ReportController {
  constructor(private readonly reports: ReportService) {}

  @Get('tasks')
  tasks(@Query() query: unknown): Promise<TaskReport> {
    return this.reports.report(parse(reportQuery, query, 'the query'));
  }
}
