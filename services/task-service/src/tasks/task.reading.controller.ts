import { countTasks, listTasks, parse, readLogs, taskHistory, uuid, type Principal } from '@baton/contracts';
import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequestPrincipal } from '../http/caller.js';
import { heldUntilEnd } from '../http/prefer.js';
import { WatchService } from '../watching/watch.service.js';
import { DecisionService } from './decision.service.js';
import { ListService } from './list.service.js';
import { TaskReading } from './task.reading.service.js';

/** What tells of tasks, over HTTP. */
@Controller('v1/tasks')
export class TaskReadingController {
  constructor(
    private readonly reading: TaskReading,
    private readonly decisions: DecisionService,
    private readonly lists: ListService,
    private readonly watches: WatchService,
  ) {}

  @Get()
  list(@Query() query: unknown, @RequestPrincipal() { agentId }: Principal) {
    const scope = agentId === undefined ? {} : { relatedTo: agentId };
    return this.lists.page(parse(listTasks, query, 'Query'), scope);
  }

  @Get('count')
  count(@Query() query: unknown) {
    return this.lists.count(parse(countTasks, query, 'Query'));
  }

  @Get(':id')
  async get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    const taskId = parse(uuid, id, 'Task id');
    let task = await this.reading.get(taskId);
    if (await heldUntilEnd(this.watches, task, reply)) task = await this.reading.get(taskId);
    void reply.header('etag', `"v${task.version}"`);
    return task;
  }

  /** Pages of 500, behind `?after=<version>`. */
  @Get(':id/history')
  async history(@Param('id') id: string, @Query() query: unknown) {
    const { after } = parse(taskHistory, query, 'Query');
    return { data: await this.reading.history(parse(uuid, id, 'Task id'), after) };
  }

  /** Pages of 500, behind `?after=<number>`. */
  @Get(':id/logs')
  async logs(@Param('id') id: string, @Query() query: unknown) {
    const { after } = parse(readLogs, query, 'Query');
    return { data: await this.reading.logs(parse(uuid, id, 'Task id'), after) };
  }

  @Get(':id/decision')
  decision(@Param('id') id: string) {
    return this.decisions.of(parse(uuid, id, 'Task id'));
  }
}
