import {
  createBatch,
  createGraph,
  createTask,
  DomainError,
  looseBatch,
  parse,
  type CreateTask,
  type ErrorBody,
  type TaskStatus,
} from '@baton/contracts';
import { Body, Controller, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequestCaller } from '../http/caller.js';
import { markReplayed } from '../http/replayed.js';
import { TaskService, type Caller } from './task.service.js';

type BatchItem = { readonly index: number } & (
  | { readonly ok: true; readonly id: string; readonly status: TaskStatus; readonly version: number }
  | { readonly ok: false; readonly error: ErrorBody }
);

/** What makes tasks, over HTTP. */
@Controller('v1/tasks')
export class TaskController {
  constructor(private readonly tasks: TaskService) {}

  @Post()
  async create(
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { view, replayed } = await this.tasks.create(parse(createTask, body, 'Task'), caller);
    void reply.header('location', `/v1/tasks/${view.id}`).header('etag', `"v${view.version}"`);
    markReplayed(reply, replayed);
    return view;
  }

  /** 201 when all were created together; 200 with an answer for each when each was judged on its own. */
  @Post('batch')
  async batch(
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const loose = parse(looseBatch, body, 'Batch');
    if (loose.atomic) {
      const created = await this.tasks.createAll(parse(createBatch, body, 'Batch').tasks, caller);
      markReplayed(reply, created.replayed);
      return { tasks: created.tasks };
    }
    void reply.status(200);
    const { results, replayed } = await this.createEach(loose.tasks, caller);
    markReplayed(reply, replayed);
    const succeeded = results.filter(({ ok }) => ok).length;
    return { results, summary: { succeeded, failed: results.length - succeeded } };
  }

  @Post('graph')
  async graph(
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const created = await this.tasks.createGraph(parse(createGraph, body, 'Graph'), caller);
    markReplayed(reply, created.replayed);
    return { tasks: created.tasks };
  }

  private async createEach(items: readonly unknown[], caller: Caller) {
    const parsed = items.map(parseItem);
    const valid = parsed.filter((item): item is CreateTask => !(item instanceof DomainError));
    const settled = await this.tasks.createEach(valid, caller);
    const next = settled.values();
    const results = parsed.map((item, index): BatchItem => {
      const outcome = item instanceof DomainError ? item : next.next().value;
      if (outcome instanceof DomainError) return { index, ok: false, error: outcome.toBody() };
      const { taskId: id = '', status = 'queued', version = 1 } = outcome?.accepted[0] ?? {};
      return { index, ok: true, id, status, version };
    });
    const replayed = settled.some((outcome) => !(outcome instanceof DomainError) && outcome.replayed);
    return { results, replayed };
  }
}

function parseItem(item: unknown): CreateTask | DomainError {
  try {
    return parse(createTask, item, 'Task');
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}
