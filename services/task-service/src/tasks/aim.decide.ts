import { agentOf, DomainError, type Actor } from '@baton/contracts';
import { chainAfter, namedBy, refuseTarget } from './delegation.rules.js';
import type { Named, NewTask, Task } from './task.js';

/** An agent that names others for a task it creates hands work on to them: by the same rules, along the same chain. */
export function refuseAim(
  tasks: readonly NewTask[],
  actor: Actor,
  parent: Task | undefined,
  named: Named | undefined,
): DomainError | undefined {
  const from = agentOf(actor);
  if (from === undefined) return undefined;
  for (const task of tasks) {
    for (const to of othersNamed(task, from)) {
      const chain = aimedChain(task, actor, parent);
      const refusal = refuseTarget({ from, to, chain, needs: task }, named);
      if (refusal === undefined) continue;
      const { code, message, details = {} } = refusal;
      return new DomainError(code, `Task ${task.title}: ${message}`, { details });
    }
  }
  return undefined;
}

/** Who handed on the work of a new task: its creator, and those its parent has from, where it is aimed at an agent. */
export function aimedChain(
  task: Pick<NewTask, 'criteria'>,
  actor: Actor,
  parent: Task | undefined,
): readonly string[] {
  const from = agentOf(actor);
  if (from === undefined || othersNamed(task, from).length === 0) return [];
  return chainAfter(parent?.delegationChain ?? [], from);
}

function othersNamed({ criteria }: Pick<NewTask, 'criteria'>, from: string): readonly string[] {
  return namedBy(criteria).filter((id) => id !== from);
}
