import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { goneSignal } from '@baton/runtime';
import { Controller, Get, Headers, Res } from '@nestjs/common';
import { LiveService } from './live.service.js';

/** A client that takes nothing for so long is gone: there is a beat four times as often. */
const STALLED_MS = 60_000;

/** Everything that happens, for those who look on. */
@Controller('v1/stream')
export class LiveController {
  constructor(private readonly live: LiveService) {}

  @Get()
  async stream(@Headers('last-event-id') last: string | undefined, @Res({ passthrough: true }) reply: Reply) {
    const events = await this.live.follow(last, goneSignal(reply.raw));
    reply.raw.socket?.setTimeout(STALLED_MS, () => reply.raw.destroy());
    reply.header('content-type', 'text/event-stream');
    reply.header('connection', 'close');
    reply.header('x-accel-buffering', 'no');
    return Readable.from(events, { objectMode: false });
  }
}

type Reply = { readonly raw: ServerResponse; header(name: string, value: string): unknown };
