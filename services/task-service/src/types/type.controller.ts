import { listTaskTypes, parse, putTaskType, word, type TaskTypeView } from '@baton/contracts';
import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequestCaller } from '../http/caller.js';
import type { Caller } from '../tasks/task.service.js';
import { TypeService } from './type.service.js';

@Controller('v1/types')
export class TypeController {
  constructor(private readonly types: TypeService) {}

  @Get()
  list(@Query() query: unknown) {
    return this.types.list(parse(listTaskTypes, query, 'Query'));
  }

  /** 201 when the type is new. */
  @Put(':type')
  async put(
    @Param('type') type: string,
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const definition = parse(putTaskType, body, 'Type');
    const { view, isNew } = await this.types.put(parse(word, type, 'Type name'), definition, caller);
    return answer(view, reply.status(isNew ? 201 : 200));
  }

  @Get(':type')
  async get(@Param('type') type: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return answer(await this.types.get(parse(word, type, 'Type name')), reply);
  }

  @Delete(':type')
  @HttpCode(204)
  remove(@Param('type') type: string, @RequestCaller() caller: Caller) {
    return this.types.remove(parse(word, type, 'Type name'), caller);
  }
}

function answer(view: TaskTypeView, reply: FastifyReply): TaskTypeView {
  void reply.header('etag', `"v${view.version}"`);
  return view;
}
