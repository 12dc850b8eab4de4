import { createKey, listKeys, parse, uuid } from '@baton/contracts';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequestPrincipal } from '../http/caller.js';
import { KeyService } from './key.service.js';
import type { Principal } from './principal.js';

@Controller('v1/keys')
export class KeyController {
  constructor(private readonly keys: KeyService) {}

  @Post()
  create(
    @Body() body: unknown,
    @RequestPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    void reply.header('cache-control', 'no-store');
    return this.keys.create(parse(createKey, body, 'Key'), principal);
  }

  @Get()
  list(@Query() query: unknown) {
    return this.keys.list(parse(listKeys, query, 'Query'));
  }

  @Delete(':id')
  @HttpCode(204)
  revoke(@Param('id') id: string, @RequestPrincipal() principal: Principal) {
    return this.keys.revoke(parse(uuid, id, 'Key id'), principal);
  }
}
