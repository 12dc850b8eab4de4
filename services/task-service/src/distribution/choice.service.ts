import type { Bus } from '@baton/bus';
import {
  agentOf,
  choiceAnswer,
  DomainError,
  SERVICE_SUBJECTS,
  type AutoAssigned,
  type Choice,
  type CreateTask,
  type Decision,
  type Needs,
  type QueuedTask,
  type Simulated,
} from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { askDistribution } from './ask-distribution.js';
import { needsClass } from '../tasks/needs-class.js';
import { iso, toQueuedTask } from '../tasks/task.events.js';
import * as reader from '../tasks/task.reader.store.js';
import { taskNotFound } from '../tasks/task.reading.service.js';
import type { Caller } from '../tasks/task.service.js';
import type { HoldService } from '../types/hold.service.js';
import { findKey } from '../write-path/idempotency.store.js';
import type { WritePath } from '../write-path/write-path.service.js';

type Assigned = AutoAssigned & { readonly version: number; readonly replayed: boolean };
type Criteria = Needs['criteria'];

/** How often another agent is asked for where the one chosen could not take it after all. */
const TRIES = 3;
/** Of a task that is not created. */
const NO_TASK = '00000000-0000-7000-8000-000000000000';

/** Asks the distribution who gets one task, and binds it if that is wanted. */
export class ChoiceService {
  constructor(
    private readonly pool: Pool,
    private readonly bus: Bus,
    private readonly writePath: WritePath,
    private readonly holds: HoldService,
  ) {}

  /**
   * Gives a ready task to the best agent with room. Who that is the distribution says, from what it knows; state and
   * capacity are decided here, under lock, whoever it named. Throws `NO_AGENT` with the reason when there is none.
   */
  async assign(taskId: string, criteria: Criteria, caller: Caller): Promise<Assigned> {
    const { idempotency } = caller;
    if (idempotency !== undefined && (await findKey(this.pool, idempotency)) !== undefined)
      return this.bind(taskId, '', null, caller);
    const tried: string[] = [];
    for (;;) {
      const task = await this.ready(taskId, criteria, tried);
      const { decision } = orRefusal(await this.choose(task, SERVICE_SUBJECTS.choose));
      const { agentId } = decision.chosen;
      try {
        return await this.bind(taskId, agentId, decision, { ifVersions: [task.version], ...caller });
      } catch (error) {
        tried.push(agentId);
        if (!isAboutAgent(error) || tried.length === TRIES) throw error;
      }
    }
  }

  /** Who would get a task that is not created. */
  async simulate(task: CreateTask, { actor }: Pick<Caller, 'actor'>): Promise<Simulated> {
    const { type, priority, requiredCapabilities, preferredCapabilities, criteria } = task;
    const { pin, ...others } = criteria;
    const choice = await this.choose(
      {
        id: NO_TASK,
        version: 1,
        type,
        priority,
        firstQueuedAt: iso(0),
        needs: {
          backlogClass: needsClass(task),
          queueKey: 0,
          requiredCapabilities,
          preferredCapabilities,
          criteria: others,
          skippedAgents: [],
          connectedFrom: agentOf(actor) ?? null,
          ...(pin === undefined ? {} : { pinnedTo: pin.agentId }),
        },
      },
      SERVICE_SUBJECTS.simulate,
    );
    return { agentId: choice.decision?.chosen.agentId ?? null, ...choice };
  }

  private async choose(task: QueuedTask, subject: string): Promise<Choice> {
    const waiting = await this.holds.whyHeldBack(task.type);
    if (waiting !== undefined) return { decision: null, waiting };
    return askDistribution(this.bus, subject, task, choiceAnswer);
  }

  private async ready(taskId: string, criteria: Criteria, tried: readonly string[]): Promise<QueuedTask> {
    const found = await reader.findTask(this.pool, taskId);
    if (found === undefined) throw taskNotFound(taskId);
    const { status, backlogClass } = found;
    if (status !== 'queued' || backlogClass === null) {
      const state = status === 'queued' ? 'queued and not available yet' : status;
      const message = `Task ${taskId} is ${state}: only a task that is ready can be assigned`;
      throw new DomainError('TASK_STATE_CONFLICT', message, { details: { status } });
    }
    const task = toQueuedTask(found);
    const excludedAgents = [...(task.needs.criteria.excludedAgents ?? []), ...tried];
    const own = { ...task.needs.criteria, excludedAgents };
    return { ...task, needs: { ...task.needs, criteria: combined(own, criteria) } };
  }

  private async bind(taskId: string, agentId: string, decision: Decision | null, caller: Caller) {
    const { accepted, replayed } = await this.writePath.execute({
      // A request that is repeated is answered before it is looked at.
      command: { kind: 'assign', taskId, agentId, decision, mayBeHeldBack: this.holds.any },
      commandId: null,
      ...caller,
    });
    const attempt = accepted[0]?.attempt ?? 0;
    const made = decision !== null && !replayed ? decision : await this.decisionOf(taskId, attempt);
    const version = accepted[0]?.version ?? 0;
    return { agentId: made.chosen.agentId, attempt, decision: made, version, replayed };
  }

  private async decisionOf(taskId: string, attempt: number): Promise<Decision> {
    const assignment = await reader.findAssignment(this.pool, taskId, attempt);
    if (assignment === undefined) throw taskNotFound(taskId);
    return assignment.data.decision as Decision;
  }
}

/** What the task requires and excludes stands; what the request prefers, and its least score, come before the task's. */
function combined(own: Criteria, asked: Criteria): Criteria {
  const { requiredAgents: named = own.requiredAgents } = asked;
  const requiredAgents = named?.filter((id) => own.requiredAgents?.includes(id) ?? true);
  if (requiredAgents?.length === 0) {
    const message = `NO_CAPABLE_AGENT: The task is for ${own.requiredAgents?.join(', ')} only`;
    throw new DomainError('NO_AGENT', message, { details: { reason: 'NO_CAPABLE_AGENT', criteria: own } });
  }
  return {
    ...own,
    ...asked,
    requiredAgents,
    excludedAgents: [...(own.excludedAgents ?? []), ...(asked.excludedAgents ?? [])],
    requiredLabels: { ...asked.requiredLabels, ...own.requiredLabels },
  };
}

function orRefusal({ decision, waiting }: Choice): { readonly decision: Decision } {
  if (decision !== null) return { decision };
  const { reason, nextStep, evidence } = waiting ?? {
    reason: 'NO_CAPABLE_AGENT',
    nextStep: '',
    evidence: {},
  };
  throw new DomainError('NO_AGENT', `${reason}: ${nextStep}`, { details: { reason, evidence, nextStep } });
}

function isAboutAgent(error: unknown): boolean {
  return (
    error instanceof DomainError && (error.code === 'AGENT_AT_CAPACITY' || error.code === 'AGENT_NOT_ONLINE')
  );
}
