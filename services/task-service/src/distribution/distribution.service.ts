import {
  DomainError,
  type AssignAnswer,
  type AssignRequest,
  type BacklogAnswer,
  type BacklogRequest,
  type ForgottenAnswer,
  type ForgottenRequest,
  type QueuedTask,
  type SnapshotAnswer,
  type SnapshotRequest,
} from '@baton/contracts';
import type { DatabaseClock } from '@baton/runtime';
import { findFleet, findHeld } from '../agents/agent.store.js';
import type { Pool } from '../database/database.js';
import type { HoldService } from '../types/hold.service.js';
import type { LeaseService } from '../shards/lease.service.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { findPolicies } from '../policies/policy.store.js';
import { findOutcomes } from '../outcomes/outcome.store.js';
import { discoverClasses, findQueued } from './backlog.store.js';

const NOTHING_QUEUED: ReadonlyMap<string, readonly QueuedTask[]> = new Map();
/** Bytes of one backlog answer, about: tasks can ask for much, and a message must fit the server. */
const ANSWER_BYTES = 512 * 1024;

/** What distributors ask of task-service: they propose, the write path decides. */
export class DistributionService {
  constructor(
    private readonly pool: Pool,
    private readonly writePath: WritePath,
    private readonly leases: LeaseService,
    private readonly holds: HoldService,
    private readonly clock: DatabaseClock,
  ) {}

  /** Binds tasks to agents, each item on its own; answers are in the order of the items. */
  async assign({ items }: AssignRequest, traceparent: string | undefined): Promise<AssignAnswer> {
    const outdated = await this.leases.findOutdated(items);
    const mayBeHeldBack = this.holds.any;
    const settled = await Promise.all(
      items.map(async ({ taskId, version, agentId, decision }, index) => {
        const refusal = outdated[index];
        if (refusal !== undefined) return refusal;
        return this.writePath.submit({
          command: { kind: 'assign', taskId, agentId, decision, mayBeHeldBack },
          ...(version === undefined ? {} : { ifVersions: [version] }),
          actor: 'service:distribution',
          traceparent: traceparent ?? null,
          commandId: null,
          bytes: 512,
        });
      }),
    );
    return {
      items: settled.map((outcome, index) => {
        if (outcome instanceof DomainError) return { ok: false, error: outcome.toBody() };
        const accepted = outcome.accepted[0];
        return {
          ok: true,
          taskId: items[index]?.taskId ?? '',
          attempt: accepted?.attempt ?? 0,
          version: accepted?.version ?? 0,
        };
      }),
    };
  }

  async backlog({ classes = [], discover }: BacklogRequest): Promise<BacklogAnswer> {
    const [heldBack, queued, discovered] = await Promise.all([
      this.holds.now(),
      classes.length === 0 ? NOTHING_QUEUED : findQueued(this.pool, classes),
      discover === undefined ? [] : discoverClasses(this.pool, discover.after ?? '', discover.limit),
    ]);
    let room = ANSWER_BYTES;
    return {
      classes: classes.map(({ backlogClass, limit }) => {
        const found = queued.get(backlogClass) ?? [];
        const tasks: QueuedTask[] = [];
        for (const task of found.slice(0, limit)) {
          room -= JSON.stringify(task).length;
          if (room < 0 && tasks.length > 0) break;
          tasks.push(task);
        }
        return { backlogClass, tasks, more: found.length > tasks.length };
      }),
      discovered: [...discovered],
      heldBack,
    };
  }

  /** Takes tasks from agents that work on them no more, each item on its own. */
  async forgotten({ items }: ForgottenRequest): Promise<ForgottenAnswer> {
    const settled = await Promise.all(
      items.map((item) =>
        this.writePath.submit({
          command: { kind: 'forget', ...item },
          actor: 'service:distribution',
          traceparent: null,
          commandId: null,
          bytes: 0,
        }),
      ),
    );
    return {
      items: settled.map((outcome, index) => {
        if (outcome instanceof DomainError) return { ok: false, error: outcome.toBody() };
        return { ok: true, taskId: items[index]?.taskId ?? '', version: outcome.accepted[0]?.version ?? 0 };
      }),
    };
  }

  /** Agents with what they hold; the held tasks are read after the agents, so a new hold is never missed. */
  async snapshot({ agentIds, after, limit = 500 }: SnapshotRequest): Promise<SnapshotAnswer> {
    const agents = await findFleet(this.pool, {
      limit,
      ...(agentIds === undefined ? {} : { agentIds }),
      ...(after === undefined ? {} : { after }),
    });
    const ids = agents.map(({ agentId }) => agentId);
    const [held, outcomes, policies] = await Promise.all([
      findHeld(this.pool, ids),
      findOutcomes(this.pool, ids),
      findPolicies(this.pool),
    ]);
    const byAgent = new Map(
      agents.map(({ agentId }) => [agentId, [] as SnapshotAnswer['agents'][number]['held']]),
    );
    for (const { agentId, taskId, attempt, version, runningMs } of held) {
      const running = runningMs === null ? {} : { runningMs };
      byAgent.get(agentId)?.push({ taskId, attempt, version, ...running });
    }
    return {
      agents: agents.map((agent) => ({
        ...agent,
        capabilities: [...agent.capabilities],
        connections: [...agent.connections],
        held: byAgent.get(agent.agentId) ?? [],
        outcomes: outcomes.get(agent.agentId) ?? [],
      })),
      policies: policies.map(({ name, version, kind, weights }) => ({ name, version, kind, weights })),
      now: new Date(this.clock.now()).toISOString(),
      next: agents.length === limit ? (agents.at(-1)?.agentId ?? null) : null,
    };
  }
}
