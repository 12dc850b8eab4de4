import { agentId, parse } from '@baton/contracts';
import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { RequestCaller } from '../http/caller.js';
import type { Caller } from '../tasks/task.service.js';
import { AgentOperations } from './agent-operations.service.js';

@Controller('v1/agents')
export class AgentOperationsController {
  constructor(private readonly operations: AgentOperations) {}

  @Post(':id/drain')
  @HttpCode(200)
  drain(@Param('id') id: string, @RequestCaller() caller: Caller) {
    return this.operations.drain(parse(agentId, id, 'Agent id'), caller);
  }

  @Post(':id/resume')
  @HttpCode(200)
  resume(@Param('id') id: string, @RequestCaller() caller: Caller) {
    return this.operations.resume(parse(agentId, id, 'Agent id'), caller);
  }

  @Post(':id/redistribute')
  @HttpCode(200)
  redistribute(@Param('id') id: string, @RequestCaller() caller: Caller) {
    return this.operations.redistribute(parse(agentId, id, 'Agent id'), caller);
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
