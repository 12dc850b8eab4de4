import { createOperation, parse, uuid } from '@baton/contracts';
import { Body, Controller, Delete, Get, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequestCaller } from '../http/caller.js';
import { markReplayed } from '../http/replayed.js';
import type { Caller } from '../tasks/task.service.js';
import { OperationService } from './operation.service.js';

/** What changes every task of a filter, over HTTP. */
@Controller('v1/operations')
export class OperationController {
  constructor(private readonly operations: OperationService) {}

  @Post()
  async start(
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const wanted = parse(createOperation, body, 'Operation');
    if (wanted.dryRun) {
      void reply.status(200);
      return this.operations.dryRun(wanted);
    }
    const { view, replayed } = await this.operations.start(wanted, caller);
    void reply.status(202).header('location', `/v1/operations/${view.id}`);
    markReplayed(reply, replayed);
    return view;
  }

  @Get(':id')
  get(@Param('id') id: string) {
    return this.operations.get(parse(uuid, id, 'Operation id'));
  }

  @Delete(':id')
  cancel(@Param('id') id: string, @RequestCaller() caller: Caller) {
    return this.operations.cancel(parse(uuid, id, 'Operation id'), caller);
  }
}
