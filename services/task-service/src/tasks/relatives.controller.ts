import { linkTask, listRelatives, parse, uuid } from '@baton/contracts';
import { Body, Controller, Delete, Get, Param, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequestCaller } from '../http/caller.js';
import { RelativesService } from './relatives.service.js';
import type { TaskCommand } from './task.state.js';
import { TaskService, type Caller } from './task.service.js';

/** What tells of a task's relatives, and what changes on whom it depends, over HTTP. */
@Controller('v1/tasks')
export class RelativesController {
  constructor(
    private readonly relatives: RelativesService,
    private readonly tasks: TaskService,
  ) {}

  @Get(':id/dependencies')
  dependencies(@Param('id') id: string, @Query() query: unknown) {
    return this.relatives.dependencies(parse(uuid, id, 'Task id'), parse(listRelatives, query, 'Query'));
  }

  @Get(':id/subtasks')
  subtasks(@Param('id') id: string, @Query() query: unknown) {
    return this.relatives.subtasks(parse(uuid, id, 'Task id'), parse(listRelatives, query, 'Query'));
  }

  @Get(':id/tree')
  tree(@Param('id') id: string, @Query() query: unknown) {
    return this.relatives.tree(parse(uuid, id, 'Task id'), parse(listRelatives, query, 'Query'));
  }

  @Put(':id/dependencies/:other')
  link(
    @Param() { id, other }: Edge,
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { policy, name = null } = parse(linkTask, body ?? {}, 'Dependency');
    return this.change({ kind: 'link', ...parseEdge(id, other), policy, name }, caller, reply);
  }

  @Delete(':id/dependencies/:other')
  unlink(
    @Param() { id, other }: Edge,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.change({ kind: 'unlink', ...parseEdge(id, other) }, caller, reply);
  }

  private async change(command: TaskCommand, caller: Caller, reply: FastifyReply) {
    const { accepted } = await this.tasks.command({ command, commandId: null }, caller);
    const { taskId: id, status, attempt, version } = accepted;
    void reply.header('etag', `"v${version}"`);
    return { id, status, attempt, version };
  }
}

type Edge = { readonly id: string; readonly other: string };

function parseEdge(id: string, other: string) {
  return { taskId: parse(uuid, id, 'Task id'), dependsOn: parse(uuid, other, 'Id of the dependency') };
}
