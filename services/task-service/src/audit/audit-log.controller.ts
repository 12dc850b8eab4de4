import { listAudit, parse } from '@baton/contracts';
import { Controller, Get, Query } from '@nestjs/common';
import { AuditLog } from './audit-log.service.js';

@Controller('v1/audit')
export class AuditLogController {
  constructor(private readonly log: AuditLog) {}

  @Get()
  list(@Query() query: unknown) {
    return this.log.page(parse(listAudit, query, 'Query'));
  }
}
