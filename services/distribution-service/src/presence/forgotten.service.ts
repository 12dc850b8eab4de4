import { BUS, type Bus } from '@baton/bus';
import { LIMITS, SERVICE_SUBJECTS, snapshotAnswer } from '@baton/contracts';
import type { ForgottenRequest, SnapshotRequest } from '@baton/contracts';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import { z } from 'zod';
import { forgottenTotal } from '../distribution.metrics.js';
import { FleetService } from '../fleet/fleet.service.js';
import type { FleetAgent } from '../fleet/fleet.state.js';
import { LOGGER } from '../logger.js';
import { askTaskService, itemAnswers } from '../task-service.client.js';
import { createForgotten, learnRunning, noteBeat, noteForgottenSweep } from './forgotten.fold.js';
import { takeAgentsToAsk, takeForgotten, type ForgottenTask } from './forgotten.fold.js';

const SWEEP_MS = 500;
const TIMEOUT_MS = 5_000;
const forgottenAnswer = itemAnswers({ taskId: z.string(), version: z.number() });

/** Has tasks taken from agents that live but work on them no more: their beats leave them out. */
@Injectable()
export class ForgottenService implements OnModuleInit, OnApplicationShutdown {
  private readonly forgotten = createForgotten(performance.now());
  private timer: NodeJS.Timeout | undefined;
  private sweeping = false;

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly fleetService: FleetService,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.sweep(), SWEEP_MS);
  }

  /** Not before what is in work was waited for: until then nobody else looks after these agents. */
  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** A beat of the live epoch of the agent. */
  heard(agent: FleetAgent, running: unknown, at: number): void {
    noteBeat(this.forgotten, agent, running, at);
  }

  private async sweep(): Promise<void> {
    noteForgottenSweep(this.forgotten, this.fleetService.fleet, performance.now());
    if (this.sweeping) return;
    this.sweeping = true;
    try {
      await this.ask(takeAgentsToAsk(this.forgotten, LIMITS.agentItems, performance.now()));
      const due = takeForgotten(this.forgotten, this.fleetService.fleet, performance.now());
      for (let start = 0; start < due.length; start += LIMITS.agentItems) {
        await this.report(due.slice(start, start + LIMITS.agentItems));
      }
    } catch (error) {
      this.logger.warn({ error: String(error) }, 'forgotten tasks could not be reported; they come up again');
    } finally {
      this.sweeping = false;
    }
  }

  /** One snapshot for all of them; those beyond the limit are asked for in the next sweep. */
  private async ask(agentIds: readonly string[]): Promise<void> {
    if (agentIds.length === 0) return;
    const request: SnapshotRequest = { agentIds: [...agentIds] };
    const options = { answer: snapshotAnswer, timeoutMs: TIMEOUT_MS };
    const { agents } = await askTaskService(this.bus, SERVICE_SUBJECTS.snapshot, request, options);
    for (const agent of agents) learnRunning(this.forgotten, agent, performance.now());
  }

  private async report(tasks: readonly ForgottenTask[]): Promise<void> {
    const request: ForgottenRequest = { items: [...tasks] };
    const options = { answer: forgottenAnswer, timeoutMs: TIMEOUT_MS };
    const { items } = await askTaskService(this.bus, SERVICE_SUBJECTS.forgotten, request, options);
    for (const [index, { agentId, epoch, taskId }] of tasks.entries()) {
      const answer = items[index];
      if (answer?.ok !== true) continue;
      forgottenTotal.inc();
      this.logger.warn(
        { agent_id: agentId, epoch, task_id: taskId },
        'took a task from an agent that forgot it',
      );
    }
  }
}
