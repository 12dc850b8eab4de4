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
import { taskNotFound, type TaskReading } from '../tasks/task.reading.service.js';

const ALL = Object.keys(RELATIONS) as readonly Relation[];

/**
 * Where the table of access is asked about agents and tasks, for both edges. Only what agents ask for beside their work
 * comes here: a word about a task they hold is checked by its fence, under the task's lock.
 */
export class AccessService {
  constructor(private readonly reading: TaskReading) {}

  /** The task, where the agent may do this with it. What an agent is not related to does not exist for it. */
  async expectAgent(agentId: string, action: Action, taskId: string): Promise<TaskDetail> {
    const task = await this.reading.get(taskId);
    const related = await this.firstRelation(
      agentId,
      task,
      ALL.filter((one) => mayDo(action, 'agent', one)),
    );
    if (related !== undefined) return task;
    const other = await this.firstRelation(
      agentId,
      task,
      ALL.filter((one) => !mayDo(action, 'agent', one)),
    );
    if (other === undefined) throw taskNotFound(taskId);
    throw new DomainError('FORBIDDEN', refusalOf(agentId, action, taskId));
  }

  /** Asked one after the other, those that cost nothing first. */
  private async firstRelation(
    agentId: string,
    task: TaskDetail,
    relations: readonly Relation[],
  ): Promise<Relation | undefined> {
    for (const relation of relations) if (await this.has(relation, agentId, task)) return relation;
    return undefined;
  }

  private async has(relation: Relation, agentId: string, task: TaskDetail): Promise<boolean> {
    switch (relation) {
      case 'creator':
        return task.createdBy === `agent:${agentId}`;
      case 'holder':
        return task.assignedTo === agentId;
      case 'delegator':
        return task.delegationChain.includes(agentId);
      case 'ancestorHolder':
        return task.parentTaskId !== null && this.reading.holdsTreeOf(agentId, task.parentTaskId);
      case 'dependentHolder':
        return this.reading.holdsDependentOf(agentId, task.id);
      case 'pastHolder':
        return task.lastAgentId === agentId || this.reading.wasHolderOf(agentId, task.id);
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
