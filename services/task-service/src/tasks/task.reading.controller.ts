import { countTasks, listTasks, parse, taskHistory, uuid } from '@baton/contracts';
import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
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
  ) {}

  @Get()
  list(@Query() query: unknown) {
    return this.lists.page(parse(listTasks, query, 'Query'));
  }

  @Get('count')
  count(@Query() query: unknown) {
    return this.lists.count(parse(countTasks, query, 'Query'));
  }

  @Get(':id')
  async get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    const task = await this.reading.get(parse(uuid, id, 'Task id'));
    void reply.header('etag', `"v${task.version}"`);
    return task;
  }

  /** Pages of 500, behind `?after=<version>`. */
  @Get(':id/history')
  async history(@Param('id') id: string, @Query() query: unknown) {
    const { after } = parse(taskHistory, query, 'Query');
    return { data: await this.reading.history(parse(uuid, id, 'Task id'), after) };
  }

  @Get(':id/decision')
  decision(@Param('id') id: string) {
    return this.decisions.of(parse(uuid, id, 'Task id'));
  }
}
