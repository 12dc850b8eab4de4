import {
  ACCESS,
  DomainError,
  mayDo,
  RELATIONS,
  type Access,
  type Action,
  type Relation,
  type TaskDetail,
} from '@baton/contracts';
import type { Pool } from '../database/database.js';
import {
  findBelowHeldBy,
  findDependedOnBy,
  findHadBy,
  findRelatable,
  type RelatableTask,
} from '../tasks/relation.store.js';
import { taskNotFound, type TaskReading } from '../tasks/task.reading.service.js';

const ALL = Object.keys(RELATIONS) as readonly Relation[];
/** What the fence says to whoever does not hold a task: it tells that the task is there. */
const TELLING: ReadonlySet<string> = new Set(['TASK_NOT_FOUND', 'STALE_ATTEMPT', 'TASK_STATE_CONFLICT']);

/**
 * Where the table of access is asked about agents and tasks, for both edges. Only what agents ask for beside their work
 * comes here first: a word about a task they hold is checked by its fence, under the task's lock, and comes here when
 * that refuses it.
 */
export class AccessService {
  constructor(
    private readonly pool: Pool,
    private readonly reading: TaskReading,
  ) {}

  /** The task, where the agent may do this with it. What an agent is not related to does not exist for it. */
  async expectAgent(agentId: string, action: Action, taskId: string): Promise<TaskDetail> {
    const task = await this.reading.get(taskId);
    const [may, mayNot] = [true, false].map((is) => ALL.filter((one) => mayDo(action, 'agent', one) === is));
    if ((await this.related(agentId, [task], may)).size > 0) return task;
    if ((await this.related(agentId, [task], mayNot)).size === 0) throw taskNotFound(taskId);
    throw new DomainError('FORBIDDEN', refusalOf(agentId, action, taskId));
  }

  /** Those of these tasks that the agent may not see, or that are not there: at most four statements. */
  async findUnseen(agentId: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    const readers = ALL.filter((one) => mayDo('task.read', 'agent', one));
    const seen = await this.related(agentId, await findRelatable(this.pool, ids), readers);
    return new Set(ids.filter((id) => !seen.has(id)));
  }

  /** A refusal as the agent may hear it: of a task that it may not see no more than that. */
  async mayHear(agentId: string, taskId: string, refusal: DomainError): Promise<DomainError> {
    if (!TELLING.has(refusal.code)) return refusal;
    return (await this.findUnseen(agentId, [taskId])).has(taskId) ? taskNotFound(taskId) : refusal;
  }

  /** Those of these tasks to which the agent has one of the relations, asked for in turn, those that cost nothing first. */
  private async related(
    agentId: string,
    tasks: readonly RelatableTask[],
    relations: readonly Relation[] = [],
  ): Promise<ReadonlySet<string>> {
    const related = new Set<string>();
    for (const relation of relations) {
      const left = tasks.filter(({ id }) => !related.has(id));
      if (left.length === 0) break;
      for (const { id } of await this.having(relation, agentId, left)) related.add(id);
    }
    return related;
  }

  private async having(
    relation: Relation,
    agentId: string,
    tasks: readonly RelatableTask[],
  ): Promise<readonly RelatableTask[]> {
    const ids = tasks.map(({ id }) => id);
    switch (relation) {
      case 'creator':
        return tasks.filter(({ createdBy }) => createdBy === `agent:${agentId}`);
      case 'holder':
        return tasks.filter(({ assignedTo }) => assignedTo === agentId);
      case 'delegator':
        return tasks.filter(({ delegationChain }) => delegationChain.includes(agentId));
      case 'ancestorHolder': {
        const parents = tasks.flatMap(({ parentTaskId }) => parentTaskId ?? []);
        if (parents.length === 0) return [];
        const held = await findBelowHeldBy(this.pool, agentId, parents);
        return tasks.filter(({ parentTaskId }) => parentTaskId !== null && held.has(parentTaskId));
      }
      case 'dependentHolder': {
        const needed = await findDependedOnBy(this.pool, agentId, ids);
        return tasks.filter(({ id }) => needed.has(id));
      }
      case 'pastHolder': {
        const last = tasks.filter(({ lastAgentId }) => lastAgentId === agentId);
        if (last.length === tasks.length) return last;
        const had = await findHadBy(this.pool, agentId, ids);
        return tasks.filter(({ id, lastAgentId }) => lastAgentId === agentId || had.has(id));
      }
    }
  }
}

function refusalOf(agentId: string, action: Action, taskId: string): string {
  const word = action.slice(action.indexOf('.') + 1);
  const { agents }: Access = ACCESS[action];
  const needed = Array.isArray(agents)
    ? agents.map((one: Relation) => RELATIONS[one]).join(' or ')
    : 'is a person';
  return `Agent ${agentId} may not ${word} task ${taskId}: only one that ${needed} may`;
}
