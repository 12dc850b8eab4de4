import { assignedBy } from '../tasks/task.state.js';
import { lockAgents, type LockedAgents } from '../agents/capacity.store.js';
import { findProgressTimes } from '../agents/progress.store.js';
import type { Client } from '../database/database.js';
import type { ExistingDependency } from '../tasks/create.decide.js';
import type { AgentUnderLock, Named, Task } from '../tasks/task.js';
import { findDescribed, type Described } from '../tasks/revision.store.js';
import * as store from '../tasks/task.store.js';
import type { TreeSpending } from '../usage/budget.decide.js';
import { findSpending } from '../usage/usage.store.js';
import { bringBack, lockDependencies, lockTargets } from './load.archived.js';
import { loadNamed } from './load.named.js';
import { NO_HOLDS, type Holds } from '../types/hold.decide.js';
import { lockHolds } from '../types/hold.store.js';
import type { Settled, Submission } from './submission.js';

/** Everything a batch locked and read, in the order of the locks. */
export type Loaded = {
  readonly tasks: ReadonlyMap<string, store.LockedTask>;
  readonly dependencies: ReadonlyMap<string, ExistingDependency>;
  /** Edges of the tasks whose dependencies are looked at. */
  readonly edges: ReadonlyMap<string, readonly store.DependencyEdge[]>;
  readonly children: ReadonlyMap<string, number>;
  readonly agents: ReadonlyMap<string, AgentUnderLock>;
  /** Of tasks whose fields are to change, what no other rule looks at. */
  readonly described: ReadonlyMap<string, Described>;
  /** When tasks that are due for a look at their progress last reported some. */
  readonly progress: ReadonlyMap<string, number>;
  readonly named: Named;
  /** Of trees that are to grow, by root; those without a budget are not among them. */
  readonly spending: ReadonlyMap<string, TreeSpending>;
  readonly holds: Holds;
  readonly now: number;
};

/** Locks and reads what the commands concern; of a replayed one only the parent, whose fence still counts. */
export async function load(
  db: Client,
  submissions: readonly Submission[],
  replays: readonly (Settled | undefined)[],
): Promise<Loaded> {
  const targets = new Set<string>();
  const related = new Set<string>();
  const parents = new Set<string>();
  const dependents = new Set<string>();
  const agentIds = new Set<string>();
  const dueIds = new Set<string>();
  const updated = new Set<string>();
  const heldBack = new Set<string>();
  submissions.forEach(({ command }, index) => {
    if (command.kind === 'create' && command.parent) parents.add(command.parent.taskId);
    if (replays[index] !== undefined) return;
    if (command.kind === 'create') {
      for (const task of command.tasks) for (const { taskId } of task.dependencies) related.add(taskId);
      for (const { id } of command.tasks) related.delete(id);
      return;
    }
    targets.add(command.taskId);
    if (LOOKS_AT_DEPENDENCIES.has(command.kind)) dependents.add(command.taskId);
    if (command.kind === 'update') updated.add(command.taskId);
    if (command.kind === 'due') dueIds.add(command.taskId);
    const agentId = assignedBy(command);
    if (agentId !== null) agentIds.add(agentId);
    if (command.kind === 'assign' && command.mayBeHeldBack) heldBack.add(command.taskId);
  });
  for (const parent of parents) targets.add(parent);
  await bringBack(
    db,
    submissions.filter((_, index) => replays[index] === undefined),
  );
  const locked = targets.size === 0 ? NO_TASKS : await lockTargets(db, [...targets]);
  const edges = dependents.size === 0 ? [] : await store.findDependencies(db, [...dependents]);
  for (const { dependsOn } of edges) related.add(dependsOn);
  const dependencies = related.size === 0 ? new Map() : await lockDependencies(db, [...related]);
  const children = parents.size === 0 ? new Map() : await store.countChildren(db, [...parents]);
  const watched = [...dueIds].filter((id) => isWatched(locked.tasks.get(id)?.task));
  const progress = watched.length === 0 ? new Map() : await findProgressTimes(db, watched);
  const named = await loadNamed(db, submissions, locked);
  const roots = [...parents].flatMap((id) => locked.tasks.get(id)?.task.rootTaskId ?? []);
  const spending = roots.length === 0 ? new Map() : await findSpending(db, [...new Set(roots)]);
  const described = updated.size === 0 ? new Map() : await findDescribed(db, [...updated]);
  const { agents, now: afterAgents } = agentIds.size === 0 ? NO_AGENTS : await lockAgents(db, [...agentIds]);
  const types = new Set([...heldBack].flatMap((id) => locked.tasks.get(id)?.task.type ?? []));
  const { holds, now = afterAgents } =
    types.size === 0 ? { holds: NO_HOLDS } : await lockHolds(db, [...types]);
  return {
    tasks: locked.tasks,
    dependencies,
    edges: byTask(edges),
    children,
    agents,
    progress,
    named,
    spending,
    described,
    holds,
    now: now ?? (related.size === 0 ? locked.now : undefined) ?? (await clock(db)),
  };
}

/** Commands that are decided by how the task's dependencies stand. */
const LOOKS_AT_DEPENDENCIES: ReadonlySet<Submission['command']['kind']> = new Set(['unblock', 'release']);

/** Whether an agent must report progress on it: when it last did is not in the row. */
function isWatched(task: Task | undefined): boolean {
  return task?.status === 'in_progress' && task.progressTimeout !== null;
}

const NO_TASKS: store.LockedTasks = { tasks: new Map(), now: undefined };
const NO_AGENTS: LockedAgents = { agents: new Map(), now: undefined };

function byTask(
  edges: readonly store.DependencyEdge[],
): ReadonlyMap<string, readonly store.DependencyEdge[]> {
  const groups = new Map<string, store.DependencyEdge[]>();
  for (const edge of edges) {
    const group = groups.get(edge.taskId);
    if (group === undefined) groups.set(edge.taskId, [edge]);
    else group.push(edge);
  }
  return groups;
}

/** `clock_timestamp()` after all locks: `now()` is older than what others committed while this one waited. */
async function clock(db: Client): Promise<number> {
  const { rows } = await db.query<{ now: number }>({
    name: 'clock',
    text: 'SELECT clock_timestamp() AS now',
  });
  return rows[0]?.now ?? Number.NaN;
}
