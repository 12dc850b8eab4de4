import { parse, putPolicy, word, type PolicyView } from '@baton/contracts';
import { Body, Controller, Get, Param, Put, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequestCaller } from '../http/caller.js';
import type { Caller } from '../tasks/task.service.js';
import { PolicyService } from './policy.service.js';

@Controller('v1/policies')
export class PolicyController {
  constructor(private readonly policies: PolicyService) {}

  @Get()
  async list() {
    return { data: await this.policies.list() };
  }

  /** 201 when the policy is new. */
  @Put(':name')
  async put(
    @Param('name') name: string,
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const policy = parse(putPolicy, body, 'Policy');
    const { view, isNew } = await this.policies.put(parse(word, name, 'Policy name'), policy, caller);
    return answer(view, reply.status(isNew ? 201 : 200));
  }

  @Get(':name')
  async get(@Param('name') name: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return answer(await this.policies.get(parse(word, name, 'Policy name')), reply);
  }
}

function answer(view: PolicyView, reply: FastifyReply): PolicyView {
  void reply.header('etag', `"v${view.version}"`);
  return view;
}
