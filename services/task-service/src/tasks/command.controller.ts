import { heldRequests, parse, uuid } from '@baton/contracts';
import { Body, Controller, Delete, HttpCode, Param, Patch, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TaskVerbsService } from '../agents/task-verbs.service.js';
import { RequestCaller } from '../http/caller.js';
import { markReplayed } from '../http/replayed.js';
import type { Accepted } from './task.js';
import { TaskService, type Caller } from './task.service.js';
import { UPDATES, WORDS, type SaidCommand } from './task.words.js';

/** What changes one task, over HTTP: the same words as over NATS, answered when the change is committed. */
@Controller('v1/tasks')
export class CommandController {
  constructor(
    private readonly tasks: TaskService,
    private readonly verbs: TaskVerbsService,
  ) {}

  @Put(':id')
  replace(
    @Param('id') id: string,
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.say(UPDATES.replace(parse(uuid, id, 'Task id'), body), caller, reply);
  }

  @Patch(':id')
  patch(
    @Param('id') id: string,
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.say(UPDATES.patch(parse(uuid, id, 'Task id'), body), caller, reply);
  }

  @Delete(':id')
  @HttpCode(204)
  async delete(
    @Param('id') id: string,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const taskId = parse(uuid, id, 'Task id');
    const said = { command: { kind: 'delete', taskId }, commandId: null } as const;
    markReplayed(reply, (await this.tasks.command(said, caller)).replayed);
  }

  @Post(':id/progress')
  @HttpCode(200)
  async progress(
    @Param('id') id: string,
    @Body() body: unknown,
    @RequestCaller() { idempotency }: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const taskId = parse(uuid, id, 'Task id');
    const { agentId, commandId = '', ...said } = parse(heldRequests.progress, body, 'Command');
    const report = { ...said, taskId, commandId };
    const reported = await this.verbs.reportOnce(agentId, report, idempotency);
    markReplayed(reply, reported.replayed);
    return answer(reported.answer, reply);
  }

  @Post(Object.keys(WORDS).map((word) => `:id/${word}`))
  @HttpCode(200)
  command(
    @Param('id') id: string,
    @Body() body: unknown,
    @Req() { routeOptions }: FastifyRequest,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const toCommand = WORDS[routeOptions.url?.split('/').at(-1) ?? ''];
    if (toCommand === undefined) throw new Error(`no command is behind ${routeOptions.url}`);
    return this.say(toCommand(parse(uuid, id, 'Task id'), body), caller, reply);
  }

  private async say(said: SaidCommand, caller: Caller, reply: FastifyReply) {
    const { accepted, replayed } = await this.tasks.command(said, caller);
    markReplayed(reply, replayed);
    return answer(accepted, reply);
  }
}

function answer({ taskId, status, attempt, version }: Accepted, reply: FastifyReply) {
  void reply.header('etag', `"v${version}"`);
  return { id: taskId, status, attempt, version };
}
