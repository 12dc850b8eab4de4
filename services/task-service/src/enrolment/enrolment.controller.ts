import {
  agentId,
  createEnrolmentToken,
  enrolAgent,
  issueCredentials,
  listEnrolmentTokens,
  parse,
  uuid,
  type Principal,
} from '@baton/contracts';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequestCaller, RequestPrincipal } from '../http/caller.js';
import { markReplayed } from '../http/replayed.js';
import type { Caller } from '../tasks/task.service.js';
import { EnrolmentService } from './enrolment.service.js';
import { EnrolmentTokens } from './enrolment-token.service.js';

@Controller('v1')
export class EnrolmentController {
  constructor(
    private readonly enrolments: EnrolmentService,
    private readonly tokens: EnrolmentTokens,
  ) {}

  @Post('enrolment-tokens')
  create(
    @Body() body: unknown,
    @RequestPrincipal() { actor }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    void reply.header('cache-control', 'no-store');
    return this.tokens.create(parse(createEnrolmentToken, body, 'Enrolment token'), actor);
  }

  @Get('enrolment-tokens')
  list(@Query() query: unknown) {
    return this.tokens.list(parse(listEnrolmentTokens, query, 'Query'));
  }

  @Delete('enrolment-tokens/:id')
  @HttpCode(204)
  revoke(@Param('id') id: string, @RequestPrincipal() { actor }: Principal) {
    return this.tokens.revoke(parse(uuid, id, 'Token id'), actor);
  }

  @Post('enrolments')
  enrol(@Body() body: unknown) {
    return this.enrolments.enrol(parse(enrolAgent, body, 'Enrolment'));
  }

  @Post('agents/:id/credentials')
  async issue(
    @Param('id') id: string,
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const wanted = parse(issueCredentials, body, 'Credentials');
    const { answer, replayed } = await this.enrolments.issue(parse(agentId, id, 'Agent id'), wanted, caller);
    markReplayed(reply, replayed);
    return answer;
  }
}
