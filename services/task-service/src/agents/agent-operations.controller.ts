import { agentId, parse } from '@baton/contracts';
import { Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequestCaller } from '../http/caller.js';
import { markReplayed } from '../http/replayed.js';
import type { Caller } from '../tasks/task.service.js';
import type { Answered } from '../write-path/answer.keys.js';
import { AgentOperations } from './agent-operations.service.js';

@Controller('v1/agents')
export class AgentOperationsController {
  constructor(private readonly operations: AgentOperations) {}

  @Post(':id/drain')
  @HttpCode(200)
  async drain(
    @Param('id') id: string,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return answer(await this.operations.drain(parse(agentId, id, 'Agent id'), caller), reply);
  }

  @Post(':id/resume')
  @HttpCode(200)
  async resume(
    @Param('id') id: string,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return answer(await this.operations.resume(parse(agentId, id, 'Agent id'), caller), reply);
  }

  @Post(':id/redistribute')
  @HttpCode(200)
  async redistribute(
    @Param('id') id: string,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return answer(await this.operations.redistribute(parse(agentId, id, 'Agent id'), caller), reply);
  }

  @Get(':id/workload')
  workload(@Param('id') id: string) {
    return this.operations.workload(parse(agentId, id, 'Agent id'));
  }

  @Get(':id/queue')
  queue(@Param('id') id: string) {
    return this.operations.queue(parse(agentId, id, 'Agent id'));
  }
}

function answer<T>({ answer: given, replayed }: Answered<T>, reply: FastifyReply): T {
  markReplayed(reply, replayed);
  return given;
}
