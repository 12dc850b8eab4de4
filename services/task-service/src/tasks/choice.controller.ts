import { autoAssignTask, createTask, parse, uuid } from '@baton/contracts';
import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ChoiceService } from '../distribution/choice.service.js';
import { RequestCaller } from '../http/caller.js';
import { markReplayed } from '../http/replayed.js';
import { AdmissionService } from '../types/admission.service.js';
import type { Caller } from './task.service.js';

/** Who gets a task, asked over HTTP. */
@Controller('v1/tasks')
export class ChoiceController {
  constructor(
    private readonly choices: ChoiceService,
    private readonly admission: AdmissionService,
  ) {}

  @Post('simulate')
  @HttpCode(200)
  async simulate(@Body() body: unknown, @RequestCaller() caller: Caller) {
    const task = await this.admission.parseNew(createTask, body, 'Task', () => undefined);
    return this.choices.simulate(task, caller);
  }

  @Post(':id/auto-assign')
  @HttpCode(200)
  async assign(
    @Param('id') id: string,
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const taskId = parse(uuid, id, 'Task id');
    const { criteria } = parse(autoAssignTask, body ?? {}, 'Choice');
    const { replayed, version, ...assigned } = await this.choices.assign(taskId, criteria, caller);
    markReplayed(reply, replayed);
    void reply.header('etag', `"v${version}"`);
    return assigned;
  }
}
