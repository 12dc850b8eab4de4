import { parse, uuid } from '@baton/contracts';
import { Controller, Get, Param } from '@nestjs/common';
import { TraceService } from './trace.service.js';

/** The lives of tasks, over HTTP. */
@Controller('v1/tasks')
export class TraceController {
  constructor(private readonly traces: TraceService) {}

  @Get(':id/trace')
  trace(@Param('id') id: string) {
    return this.traces.of(parse(uuid, id, 'Task id'));
  }
}
