import { parse, pauseAll } from '@baton/contracts';
import { Body, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequestCaller } from '../http/caller.js';
import { markReplayed } from '../http/replayed.js';
import type { Caller } from '../tasks/task.service.js';
import { TypeService } from './type.service.js';

/** The pause of everything. */
@Controller('v1')
export class PauseController {
  constructor(private readonly types: TypeService) {}

  @Get('pause')
  read() {
    return this.types.readPause();
  }

  @Post('pause')
  @HttpCode(200)
  async pause(
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { reason = null } = parse(pauseAll, body ?? {}, 'Pause');
    const { answer, replayed } = await this.types.pause(reason, caller);
    markReplayed(reply, replayed);
    return answer;
  }

  @Post('resume')
  @HttpCode(200)
  async resume(@RequestCaller() caller: Caller, @Res({ passthrough: true }) reply: FastifyReply) {
    const { answer, replayed } = await this.types.resume(caller);
    markReplayed(reply, replayed);
    return answer;
  }
}
