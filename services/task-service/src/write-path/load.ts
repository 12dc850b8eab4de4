import { assignedBy } from '../tasks/assigned-by.js';
import { lockAgents, type LockedAgents } from '../agents/capacity.store.js';
import { findProgressTimes } from '../agents/progress.store.js';
import type { Client } from '../database/database.js';
import type { ExistingDependency } from '../tasks/create.decide.js';
import {
  findAwaitable,
  findDependencies,
  findWaits,
  type Child,
  type DependencyEdge,
} from '../tasks/edge.store.js';
import { mayCloseCycle, outerDependencies } from '../tasks/edges.decide.js';
import type { AgentUnderLock, Command, Named, Task } from '../tasks/task.js';
import { findDescribed, type Described } from '../tasks/revision.store.js';
import { lockForRemoval } from '../tasks/removal.store.js';
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
  readonly edges: ReadonlyMap<string, readonly DependencyEdge[]>;
  /** Children of the tasks that wait for theirs or begin to. */
  readonly awaitable: ReadonlyMap<string, readonly Child[]>;
  /** Which tasks wait for which, for commands that may close a cycle. The batch adds what it decides. */
  readonly waits: Map<string, string[]>;
  /** How many children the parents of new tasks have. */
  readonly children: ReadonlyMap<string, number>;
  readonly agents: ReadonlyMap<string, AgentUnderLock>;
  /** Of tasks whose fields are to change, what no other rule looks at. */
  readonly described: ReadonlyMap<string, Described>;
  /** Tasks that were to go and may not, with the reason. */
  readonly hindered: ReadonlyMap<string, string>;
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
  const relinked = new Set<string>();
  const waiting = new Set<string>();
  const awaiting = new Set<string>();
  const agentIds = new Set<string>();
  const dueIds = new Set<string>();
  const updated = new Set<string>();
  const heldBack = new Set<string>();
  const reopened = new Set<string>();
  const removed = new Set<string>();
  submissions.forEach(({ command }, index) => {
    if (command.kind === 'create' && command.parent) parents.add(command.parent.taskId);
    if (replays[index] !== undefined) return;
    if (command.kind === 'create') {
      for (const task of command.tasks) for (const { taskId } of task.dependencies) related.add(taskId);
      for (const { id } of command.tasks) related.delete(id);
      return;
    }
    targets.add(command.taskId);
    if (EDGES_OF.has(command.kind)) relinked.add(command.taskId);
    if (command.kind === 'link') related.add(command.dependsOn);
    if (command.kind === 'unblock') waiting.add(command.taskId);
    if (command.kind === 'block' && command.block.reason === 'children') awaiting.add(command.taskId);
    if (command.kind === 'update' || command.kind === 'reopen') updated.add(command.taskId);
    if (command.kind === 'delete') removed.add(command.taskId);
    if (command.kind === 'reopen') reopened.add(command.taskId);
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
  for (const id of waiting) {
    if (locked.tasks.get(id)?.task.statusReason === 'children') awaiting.add(id);
  }
  const edges = relinked.size === 0 ? [] : await findDependencies(db, [...relinked]);
  for (const { dependsOn } of edges) related.add(dependsOn);
  for (const id of reopened) {
    const parentId = locked.tasks.get(id)?.task.parentTaskId;
    if (parentId) related.add(parentId);
  }
  const dependencies = related.size === 0 ? new Map() : await lockDependencies(db, [...related]);
  const awaitable = await findAwaitable(db, [...awaiting]);
  const waits = await loadWaits(db, submissions, awaitable);
  const children = parents.size === 0 ? new Map() : await store.countChildren(db, [...parents]);
  const watched = [...dueIds].filter((id) => isWatched(locked.tasks.get(id)?.task));
  const progress = watched.length === 0 ? new Map() : await findProgressTimes(db, watched);
  const named = await loadNamed(db, submissions, locked);
  const roots = [...parents].flatMap((id) => locked.tasks.get(id)?.task.rootTaskId ?? []);
  const spending = roots.length === 0 ? new Map() : await findSpending(db, [...new Set(roots)]);
  // After all other locks on tasks: they wait for nobody then.
  const hindered = removed.size === 0 ? new Map() : await lockForRemoval(db, [...removed]);
  const described = updated.size === 0 ? new Map() : await findDescribed(db, [...updated]);
  const { agents, now: afterAgents } = agentIds.size === 0 ? NO_AGENTS : await lockAgents(db, [...agentIds]);
  const types = new Set([...heldBack].flatMap((id) => locked.tasks.get(id)?.task.type ?? []));
  const { holds, now = afterAgents } =
    types.size === 0 ? { holds: NO_HOLDS } : await lockHolds(db, [...types]);
  return {
    tasks: locked.tasks,
    dependencies,
    edges: byTask(edges),
    awaitable,
    waits,
    children,
    agents,
    progress,
    named,
    spending,
    described,
    hindered,
    holds,
    now: now ?? (related.size === 0 ? locked.now : undefined) ?? (await clock(db)),
  };
}

/** Commands that are decided by how the task's dependencies stand. */
const EDGES_OF: ReadonlySet<Command['kind']> = new Set(['unblock', 'release', 'reopen', 'link', 'unlink']);

/** Whether an agent must report progress on it: when it last did is not in the row. */
function isWatched(task: Task | undefined): boolean {
  return task?.status === 'in_progress' && task.progressTimeout !== null;
}

/** Where the ways lead that a command of the batch may close to a cycle. */
async function loadWaits(
  db: Client,
  submissions: readonly Submission[],
  awaitable: Loaded['awaitable'],
): Promise<Map<string, string[]>> {
  const from = submissions.flatMap(({ command }) => {
    if (!mayCloseCycle(command)) return [];
    if (command.kind === 'link') return [command.dependsOn];
    if (command.kind === 'create') return outerDependencies(command);
    return (awaitable.get(command.taskId) ?? []).map(({ id }) => id);
  });
  return findWaits(db, [...new Set(from)]);
}

const NO_TASKS: store.LockedTasks = { tasks: new Map(), now: undefined };
const NO_AGENTS: LockedAgents = { agents: new Map(), now: undefined };

function byTask(edges: readonly DependencyEdge[]): ReadonlyMap<string, readonly DependencyEdge[]> {
  const groups = new Map<string, DependencyEdge[]>();
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
