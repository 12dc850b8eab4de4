import { Readable } from 'node:stream';
import { parse, taskHistory, uuid } from '@baton/contracts';
import { Controller, Get, Headers, Param, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { goneSignal } from '@baton/runtime';
import { TaskReading } from '../tasks/task.reading.service.js';
import { EventStreams } from './event-stream.service.js';

/** A client that takes nothing for so long is gone: there is a beat four times as often. */
const STALLED_MS = 60_000;

/** What happens to a task while somebody looks on. */
@Controller('v1/tasks')
export class EventsController {
  constructor(
    private readonly streams: EventStreams,
    private readonly reading: TaskReading,
  ) {}

  @Get(':id/events')
  async events(
    @Param('id') id: string,
    @Query() query: unknown,
    @Headers() { accept = '', 'last-event-id': last }: Readonly<Record<string, string | undefined>>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const taskId = parse(uuid, id, 'Task id');
    const { after } = parse(
      taskHistory,
      last === undefined || last === '' ? query : { after: last },
      'Query',
    );
    if (!accept.includes('text/event-stream')) return { data: await this.reading.history(taskId, after) };
    const events = await this.streams.follow(taskId, after, goneSignal(reply.raw));
    if (events === undefined) return void reply.status(204);
    reply.raw.socket?.setTimeout(STALLED_MS, () => reply.raw.destroy());
    void reply.type('text/event-stream').header('connection', 'close').header('x-accel-buffering', 'no');
    return Readable.from(events, { objectMode: false });
  }
}
