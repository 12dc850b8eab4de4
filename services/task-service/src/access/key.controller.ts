import { createKey, listKeys, parse, uuid, type Principal } from '@baton/contracts';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { RequestPrincipal } from '../http/caller.js';
import { KeyService } from './key.service.js';

@Controller('v1/keys')
export class KeyController {
  constructor(private readonly keys: KeyService) {}

  @Post()
  create(@Body() body: unknown, @RequestPrincipal() principal: Principal) {
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
