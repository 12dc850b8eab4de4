import {
  agentOf,
  createBatch,
  createGraph,
  createTask,
  DomainError,
  looseBatch,
  parse,
  spawnTasks,
  uuid,
  type CreateTask,
  type ErrorBody,
  type SpawnTasks,
  type TaskStatus,
} from '@baton/contracts';
import { Body, Controller, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { RequestCaller } from '../http/caller.js';
import { heldUntilEnd } from '../http/prefer.js';
import { markReplayed } from '../http/replayed.js';
import { AdmissionService } from '../types/admission.service.js';
import { WatchService } from '../watching/watch.service.js';
import { TaskReading } from './task.reading.service.js';
import { placed, TaskService, type Caller } from './task.service.js';

type BatchItem = { readonly index: number } & (
  | { readonly ok: true; readonly id: string; readonly status: TaskStatus; readonly version: number }
  | { readonly ok: false; readonly error: ErrorBody }
);

/** What makes tasks, over HTTP. */
@Controller('v1/tasks')
export class TaskController {
  constructor(
    private readonly tasks: TaskService,
    private readonly admission: AdmissionService,
    private readonly reading: TaskReading,
    private readonly watches: WatchService,
  ) {}

  @Post()
  async create(
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { view, replayed } = await this.tasks.create(
      await this.parse(createTask, body, 'Task', caller),
      caller,
    );
    void reply.header('location', `/v1/tasks/${view.id}`);
    markReplayed(reply, replayed);
    const isHeld = await heldUntilEnd(this.watches, view, reply);
    const task = isHeld ? await this.reading.get(view.id) : view;
    void reply.header('etag', `"v${task.version}"`);
    return task;
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
      const { tasks } = await this.parse(createBatch, body, 'Batch', caller);
      const created = await this.tasks.createAll(tasks, caller);
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
    const created = await this.tasks.createGraph(
      await this.parse(createGraph, body, 'Graph', caller),
      caller,
    );
    markReplayed(reply, created.replayed);
    return { tasks: created.tasks };
  }

  /** By whoever may speak in the stead of the holder: no fence, so children also of a task nobody holds. */
  @Post(':id/spawn')
  async spawn(
    @Param('id') id: string,
    @Body() body: unknown,
    @RequestCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const taskId = parse(uuid, id, 'Task id');
    const speaker = (read: SpawnTasks) => (fenceOf(read) === undefined ? caller : withKeyOf(taskId, caller));
    // The key under which they would have been created before: that of this parent, no other.
    const keyOf = (read: SpawnTasks) => speaker(read).idempotency;
    const said = await this.admission.parseNew(spawnTasks, body, 'Children', keyOf);
    const fence = fenceOf(said);
    if (fence === undefined && agentOf(caller.actor) !== undefined) throw fenceMissing();
    const parent = { taskId, ...(fence === undefined ? {} : { fence }) };
    const { tasks, replayed } = await this.tasks.createWhat(said, speaker(said), parent);
    markReplayed(reply, replayed);
    return { tasks };
  }

  private parse<T extends z.ZodType>(schema: T, body: unknown, what: string, { idempotency }: Caller) {
    return this.admission.parseNew(schema, body, what, () => idempotency);
  }

  private async parseItem(item: unknown, caller: Caller): Promise<CreateTask | DomainError> {
    try {
      return await this.parse(createTask, item, 'Task', caller);
    } catch (error) {
      if (error instanceof DomainError) return error;
      throw error;
    }
  }

  private async createEach(items: readonly unknown[], caller: Caller) {
    const parsed = await Promise.all(items.map((item, index) => this.parseItem(item, placed(caller, index))));
    const valid = parsed.flatMap((task, index) => (task instanceof DomainError ? [] : [{ task, index }]));
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

function fenceOf({ agentId, attempt, epoch }: SpawnTasks) {
  if (agentId === undefined || attempt === undefined || epoch === undefined) return undefined;
  return { agentId, attempt, epoch };
}

/** As over NATS: who holds the task next finds the children of the one before. */
function withKeyOf(taskId: string, caller: Caller): Caller {
  const { idempotency } = caller;
  if (idempotency === undefined) return caller;
  return { ...caller, idempotency: { ...idempotency, scope: `parent:${taskId}` } };
}

function fenceMissing(): DomainError {
  const detail =
    'expected agentId, attempt and epoch of the hold: without them a holder of before could speak';
  return new DomainError('VALIDATION_FAILED', `Children: /attempt ${detail}`, {
    details: { errors: [{ pointer: '/attempt', code: 'custom', detail }] },
  });
}
