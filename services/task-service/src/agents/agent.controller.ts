import { agentId, connection, listAgents, parse, registerAgent } from '@baton/contracts';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequestCaller } from '../http/caller.js';
import { markReplayed } from '../http/replayed.js';
import type { Caller } from '../tasks/task.service.js';
import { AgentService } from './agent.service.js';

@Controller('v1/agents')
export class AgentController {
  constructor(private readonly agents: AgentService) {}

  @Post()
  async register(
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { view, replayed } = await this.agents.register(parse(registerAgent, body, 'Agent'), caller);
    void reply.header('location', `/v1/agents/${view.id}`);
    markReplayed(reply, replayed);
    return view;
  }

  @Get()
  list(@Query() query: unknown) {
    return this.agents.list(parse(listAgents, query, 'Query'));
  }

  @Get(':id')
  get(@Param('id') id: string) {
    return this.agents.get(parse(agentId, id, 'Agent id'));
  }

  @Get(':id/connections')
  async connections(@Param('id') id: string) {
    return { data: await this.agents.connections(parse(agentId, id, 'Agent id')) };
  }

  @Put(':id/connections/:other')
  connect(@Param('id') id: string, @Param('other') other: string, @Body() body: unknown) {
    const edge = parse(connection, body ?? {}, 'Connection');
    return this.agents.connect(parse(agentId, id, 'Agent id'), parse(agentId, other, 'Agent id'), edge);
  }

  @Delete(':id/connections/:other')
  @HttpCode(204)
  disconnect(@Param('id') id: string, @Param('other') other: string) {
    return this.agents.disconnect(parse(agentId, id, 'Agent id'), parse(agentId, other, 'Agent id'));
  }
}
