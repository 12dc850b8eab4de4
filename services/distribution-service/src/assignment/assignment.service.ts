import { BUS, type Bus } from '@baton/bus';
import { LIMITS, SERVICE_SUBJECTS, type AssignRequest, type QueuedTask } from '@baton/contracts';
import { ATTRIBUTES, beginSpan, inSpan } from '@baton/telemetry';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { z } from 'zod';
import { assignConflictsTotal, decisionSeconds, decisionsTotal } from '../distribution.metrics.js';
import { meanDurationMs } from '../engine/outcomes.fold.js';
import { policyOf } from '../engine/policies.fold.js';
import { learnPrices, type Rounds } from '../engine/prices.fold.js';
import { createView, decideTask, freeSlots, type FleetView } from '../engine/task.decide.js';
import { doubt } from '../fleet/fleet.fold.js';
import { holdBack, isHeldBack, spend } from '../fleet/holds.fold.js';
import { FleetService } from '../fleet/fleet.service.js';
import { SnapshotService } from '../fleet/snapshot.service.js';
import { hold, knownVersion, reserve, unreserve } from '../fleet/slots.fold.js';
import { LOGGER } from '../logger.js';
import { LeaseService } from '../shards/lease.service.js';
import { leaseOf } from '../shards/ownership.fold.js';
import { askTaskService, itemAnswers } from '../task-service.client.js';
import { createBatcher } from './assign.batcher.js';
import type { Tried } from './waiting.fold.js';

/**
 * What task-service made of a placement. `again`: the task still waits and the agent's load is being read anew.
 * `unanswered`: unknown, look again in a while. `refused`: the task is not to be had.
 */
export type Settled = 'assigned' | 'again' | 'unanswered' | 'refused';
export type Attempt = { readonly tried: Tried; readonly settled?: Promise<Settled> };

type Proposal = {
  readonly item: AssignRequest['items'][number];
  readonly type: string;
  readonly traceparent: string | undefined;
  readonly settle: (settled: Settled) => void;
};
type Answer = z.infer<typeof assignAnswer>['items'][number] | undefined;

// Enough to keep task-service busy while the next batch collects; more only make batches smaller.
const BATCHES_IN_FLIGHT = 4;
const TIMEOUT_MS = 5_000;
const assignAnswer = itemAnswers({ taskId: z.string(), attempt: z.number(), version: z.number() });

/** Decides about single tasks and proposes the placements to task-service, which alone assigns. */
@Injectable()
export class AssignmentService implements OnApplicationShutdown {
  /** What is worked out from the fleet by each policy. */
  private readonly views = new Map<string, FleetView>();
  private readonly rounds: Rounds = new WeakMap();
  private meanMs = meanDurationMs([]);
  /** Proposed and not answered: a task is never proposed twice at a time. */
  private readonly proposed = new Set<string>();
  private readonly batcher = createBatcher<Proposal>({
    maxItems: LIMITS.agentItems,
    maxInFlight: BATCHES_IN_FLIGHT,
    send: (proposals) => {
      const of = () => proposals.map(({ traceparent }) => traceparent);
      const attributes = () => ({ [ATTRIBUTES.tasks]: proposals.length });
      return inSpan({ name: 'assign', of, attributes }, () => this.send(proposals));
    },
  });

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly fleetService: FleetService,
    private readonly snapshots: SnapshotService,
    private readonly leases: LeaseService,
  ) {
    snapshots.onApplied(({ agentIds }) => {
      if (agentIds === 'all') this.meanMs = meanDurationMs(fleetService.fleet.agents.values());
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.batcher.idle();
  }

  /** The fleet by the policy of tasks that name none. Who can do what, and has room, is the same by every policy. */
  get view(): FleetView {
    return this.viewBy(undefined);
  }

  /** The fleet by the policy of this task. */
  viewFor({ needs }: Pick<QueuedTask, 'needs'>): FleetView {
    return this.viewBy(needs.criteria.policy);
  }

  private viewBy(name: string | undefined): FleetView {
    const policy = policyOf(this.fleetService.policies, name);
    const known = this.views.get(policy.name);
    if (known?.index.policy === policy) return known;
    const view = createView(this.fleetService.fleet, policy);
    this.views.set(policy.name, view);
    return view;
  }

  /** A task became ready: by some policies slots are worth more to others now. */
  noteArrival(task: QueuedTask): void {
    const { index } = this.viewFor(task);
    if (!index.policy.isPriced) return;
    learnPrices(index, this.rounds, task, { work: 1, now: performance.now(), meanMs: this.meanMs });
  }

  /** Whether a task is proposed already, or its state is newer than what is said about it here. */
  isKnown(task: QueuedTask): boolean {
    return this.proposed.has(task.id) || knownVersion(this.fleetService.fleet, task.id) > task.version;
  }

  /** Whether an agent of this process that can do tasks of this kind has a free slot, and may be given one. */
  hasRoom(task: QueuedTask): boolean {
    if (isHeldBack(this.fleetService.fleet, task.type)) return false;
    return freeSlots(this.view, task) > 0;
  }

  /** Tries to place a task now. What was placed is proposed in the next batch; `settled` tells what came of it. */
  attempt(task: QueuedTask): Attempt {
    const { fleet } = this.fleetService;
    if (this.isKnown(task)) return { tried: 'known' };
    if (isHeldBack(fleet, task.type)) return { tried: 'no_room' };
    // Without a lease no agent is this process's own, and none is found.
    this.leases.isHolding();
    const startedAt = performance.now();
    const { span } = beginSpan({ name: 'decide', of: () => [task.traceparent] });
    const placement = decideTask(this.viewFor(task), task, this.fleetService.clock.now());
    span?.setAttributes(toldOf(task, placement?.agent.id)).end();
    const tookMicros = (performance.now() - startedAt) * 1_000;
    decisionSeconds.observe(tookMicros / 1_000_000);
    if (placement === undefined) {
      const tried = this.hasRoom(task) ? 'passed_over' : 'no_room';
      decisionsTotal.inc({ outcome: tried });
      return { tried };
    }
    decisionsTotal.inc({ outcome: 'placed' });
    const { agent, decision } = placement;
    this.proposed.add(task.id);
    reserve(fleet, agent, task.id);
    spend(fleet, task.type);
    const shardEpoch = leaseOf(fleet, agent)?.epoch ?? 0;
    const { id: taskId, version } = task;
    const item = { taskId, version, agentId: agent.id, shardEpoch, decision: { ...decision, tookMicros } };
    const settled = new Promise<Settled>((settle) =>
      this.batcher.add({ item, type: task.type, traceparent: task.traceparent, settle }),
    );
    return { tried: 'placed', settled };
  }

  private async send(proposals: readonly Proposal[]): Promise<void> {
    const request: AssignRequest = { items: proposals.map(({ item }) => item) };
    let answers: readonly Answer[] = [];
    try {
      if (!this.leases.isHolding()) throw new Error('the leases of shards ran out meanwhile');
      const options = { answer: assignAnswer, timeoutMs: TIMEOUT_MS };
      answers = (await askTaskService(this.bus, SERVICE_SUBJECTS.assign, request, options)).items;
    } catch (error) {
      this.logger.warn(
        { err: error, tasks: proposals.length },
        'no answer to assignments; they are tried again',
      );
      this.snapshots.refresh(request.items.map(({ agentId }) => agentId));
    }
    for (const [index, proposal] of proposals.entries()) proposal.settle(this.take(proposal, answers[index]));
    this.fleetService.changed();
  }

  private take({ item, type }: Proposal, answer: Answer): Settled {
    const { taskId, agentId } = item;
    const { fleet } = this.fleetService;
    if (answer?.ok === true) hold(fleet, { agentId, taskId, version: answer.version });
    else if (answer !== undefined) assignConflictsTotal.inc({ code: answer.error.code });
    const isDoubted = answer?.ok === false && isAboutAgent(answer.error.code);
    // First, so that the slot given back is not offered to the next task at once.
    if (isDoubted) doubt(fleet, agentId);
    unreserve(fleet, agentId, taskId);
    this.proposed.delete(taskId);
    if (answer === undefined) return 'unanswered';
    if (answer.ok) return 'assigned';
    if (isAboutType(answer.error.code)) {
      holdBack(fleet, type);
      return 'again';
    }
    if (isDoubted) {
      this.snapshots.refresh([agentId]);
      return 'again';
    }
    this.logger.debug(
      { task_id: taskId, agent_id: agentId, error: answer.error },
      'an assignment was refused',
    );
    return isAboutUs(answer.error.code) ? 'unanswered' : 'refused';
  }
}

function toldOf(task: QueuedTask, agentId: string | undefined) {
  return {
    [ATTRIBUTES.taskId]: task.id,
    [ATTRIBUTES.taskType]: task.type,
    [ATTRIBUTES.decisionOutcome]: agentId === undefined ? 'none' : 'placed',
    ...(agentId === undefined ? {} : { [ATTRIBUTES.agentId]: agentId }),
  };
}

function isAboutAgent(code: string): boolean {
  return code === 'AGENT_AT_CAPACITY' || code === 'AGENT_NOT_ONLINE' || code === 'AGENT_NOT_FOUND';
}

/** The task is to be had as soon as its type is. */
function isAboutType(code: string): boolean {
  return code === 'PAUSED' || code === 'TYPE_AT_CAPACITY';
}

/** The task may be had as before, but not now and here. */
function isAboutUs(code: string): boolean {
  return code === 'UNAVAILABLE' || code === 'STALE_SHARD';
}
