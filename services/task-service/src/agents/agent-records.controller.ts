import { agentId, agentTasks, listRelatives, parse, patchAgent } from '@baton/contracts';
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query } from '@nestjs/common';
import { RequestCaller } from '../http/caller.js';
import type { Caller } from '../tasks/task.service.js';
import { AgentRecords } from './agent-records.service.js';

@Controller('v1/agents')
export class AgentRecordsController {
  constructor(private readonly records: AgentRecords) {}

  @Patch(':id')
  change(@Param('id') id: string, @Body() body: unknown, @RequestCaller() caller: Caller) {
    return this.records.change(parse(agentId, id, 'Agent id'), parse(patchAgent, body, 'Agent'), caller);
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@Param('id') id: string, @RequestCaller() caller: Caller) {
    return this.records.remove(parse(agentId, id, 'Agent id'), caller);
  }

  @Get(':id/tasks')
  tasks(@Param('id') id: string, @Query() query: unknown) {
    return this.records.tasks(parse(agentId, id, 'Agent id'), parse(agentTasks, query, 'Query'));
  }

  @Get(':id/inbox')
  inbox(@Param('id') id: string, @Query() query: unknown) {
    return this.records.inbox(parse(agentId, id, 'Agent id'), parse(listRelatives, query, 'Query'));
  }
}
