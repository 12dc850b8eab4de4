/**
 * What Baton promises of tasks and agents, as plain as it can be said, in memory: written from the rules and sharing no
 * code with the service, which is held against it.
 */
export type Status =
  'created' | 'queued' | 'assigned' | 'in_progress' | 'blocked' | 'completed' | 'failed' | 'cancelled';
export type Policy = 'fail' | 'cancel' | 'ignore' | 'wait';

export type Task = {
  readonly id: string;
  status: Status;
  reason: string | null;
  version: number;
  attempt: number;
  /** Who holds it. */
  agent: string | null;
  /** All who ever had it. */
  had: readonly string[];
  /** Who had it last, and the epoch it was started with. */
  last: string | null;
  epoch: number | null;
  retries: number;
  lost: number;
  handovers: number;
  pin: string | null;
  chain: string[];
  readonly creator: string;
  readonly parent: string | null;
  readonly depth: number;
  readonly detached: boolean;
  readonly maxRetries: number;
  priority: number;
  needs: readonly Need[];
  /** How many of its children must have ended, while it is blocked for them. */
  awaited: number | null;
  /** Who gets it back when its agent does not do it. */
  backTo: string | null;
  excluded: string[];
};

/** Within a graph a dependency has the name of the task there. */
export type Need = { readonly id: string; readonly policy: Policy; readonly name?: string };

export type Agent = {
  readonly id: string;
  status: 'online' | 'draining' | 'offline';
  epoch: number;
  /** Its processes, by the epoch each was given. */
  readonly processes: string[];
};

export type Model = { tasks: Task[]; agents: Agent[]; edges: string[] };

/** What a command is answered: where the task is then, or the code of the refusal. */
export type Answer =
  { readonly code: string } | { readonly status: string; readonly attempt: number; readonly version: number };

export const CAPACITY = 2;

export const hasEnded = ({ status }: Task) => ['completed', 'failed', 'cancelled'].includes(status);
export const isHeld = ({ status }: Task) => status === 'assigned' || status === 'in_progress';
export const taskOf = (model: Model, id: string) => found(model.tasks, id);
export const agentOf = (model: Model, id: string) => found(model.agents, id);
export const refused = (code: string): Answer => ({ code });

export function hasRoom(model: Model, id: string): boolean {
  const held = model.tasks.filter((task) => task.agent === id && isHeld(task));
  return agentOf(model, id).status === 'online' && held.length < CAPACITY;
}

/** Whether the agent has to do with a task: else there is none for it. */
export function isRelated(model: Model, task: Task, agent: string): boolean {
  if (task.creator === `agent:${agent}` || [...task.had, ...task.chain].includes(agent)) return true;
  const isNeeded = ({ needs }: Task) => needs.some(({ id }) => id === task.id);
  if (model.tasks.some((other) => other.agent === agent && isNeeded(other))) return true;
  const parent = task.parent === null ? undefined : taskOf(model, task.parent);
  return parent !== undefined && (parent.agent === agent || holdsAbove(model, parent, agent));
}

function holdsAbove(model: Model, { parent }: Task, agent: string): boolean {
  const above = parent === null ? undefined : taskOf(model, parent);
  return above !== undefined && (above.agent === agent || holdsAbove(model, above, agent));
}

/** A new version of a task, in which these fields are different. */
export function change(task: Task, changes: Partial<Task>): Answer {
  Object.assign(task, changes, { version: task.version + 1 });
  return answerOf(task);
}

export function answerOf({ status, attempt, version }: Task): Answer {
  return { status, attempt, version };
}

/** Into the queue, for anyone or for one agent. */
export function queue(task: Task, reason: string, pin: string | null = null): Answer {
  return change(task, { status: 'queued', reason, agent: null, pin });
}

export function end(task: Task, status: 'completed' | 'failed' | 'cancelled', reason: string | null): Answer {
  return change(task, { status, reason, agent: null, pin: null });
}

/** To an agent with room. */
export function give(task: Task, agent: string, reason: string | null): Answer {
  const isTheirs = task.pin === agent || task.last === agent;
  return change(task, {
    status: 'assigned',
    reason,
    agent,
    had: [...task.had, agent],
    last: agent,
    epoch: null,
    attempt: task.attempt + 1,
    handovers: task.handovers + 1,
    pin: null,
    backTo: isTheirs ? task.backTo : null,
  });
}

/** Its agent does not do it: back to who handed it on while that one can have it, else to anyone. */
export function giveUp(model: Model, task: Task, reason: string): Answer {
  const { backTo } = task;
  if (backTo === null) return queue(task, reason);
  const delegator = agentOf(model, backTo);
  const canHave = delegator.status === 'online' && !task.excluded.includes(backTo);
  task.backTo = canHave ? (task.chain[task.chain.indexOf(backTo) - 1] ?? null) : null;
  return queue(task, reason, canHave ? backTo : null);
}

/** Everything that follows by itself, until nothing does. */
export function settle(model: Model): void {
  while (model.tasks.some((task) => follow(model, task))) continue;
}

function follow(model: Model, task: Task): boolean {
  if (hasEnded(task)) return false;
  const parent = task.parent === null ? undefined : taskOf(model, task.parent);
  if ((parent?.status === 'cancelled' || parent?.status === 'failed') && !task.detached)
    return isDone(end(task, 'cancelled', `parent_${parent.status}`));
  if (isHeld(task) && isAbandoned(model, task)) return isDone(expire(model, task));
  if (task.status !== 'blocked') return false;
  if (task.reason === 'children') return isDone(childrenEnded(model, task));
  return task.reason === 'dependency' && isDone(unblock(model, task));
}

/** Nobody works on it: its agent is gone, or is another process by now. */
function isAbandoned(model: Model, task: Task): boolean {
  const agent = agentOf(model, task.agent ?? '');
  return agent.status === 'offline' || (task.status === 'in_progress' && task.epoch !== agent.epoch);
}

function expire(model: Model, task: Task): Answer {
  if (task.status === 'assigned') {
    return task.handovers >= 10 ? end(task, 'failed', 'undeliverable') : giveUp(model, task, 'expired');
  }
  task.lost += 1;
  return task.lost > 5 ? end(task, 'failed', 'agent_lost') : giveUp(model, task, 'expired');
}

/** Whether the dependencies let a task go on, end it, or (nothing) make it wait. */
export function verdict(
  model: Model,
  { needs }: Pick<Task, 'needs'>,
): 'go' | 'failed' | 'cancelled' | undefined {
  const all = needs.map(({ id, policy }) => ({ policy, status: taskOf(model, id).status }));
  const broken = all.filter(({ status }) => status === 'failed' || status === 'cancelled');
  if (broken.some(({ policy }) => policy === 'fail')) return 'failed';
  if (broken.some(({ policy }) => policy === 'cancel')) return 'cancelled';
  const ignored = broken.filter(({ policy }) => policy === 'ignore').length;
  const completed = all.filter(({ status }) => status === 'completed').length;
  return completed + ignored === all.length ? 'go' : undefined;
}

function unblock(model: Model, task: Task): Answer | undefined {
  const outcome = verdict(model, task);
  if (outcome === undefined) return undefined;
  return outcome === 'go' ? queue(task, 'unblocked') : end(task, outcome, 'dependency_failed');
}

/** Enough of those that follow it, or all there are. */
function childrenEnded(model: Model, task: Task): Answer | undefined {
  const children = model.tasks.filter(({ parent, detached }) => parent === task.id && !detached);
  const over = children.filter(hasEnded).length;
  return over === children.length || over >= (task.awaited ?? Infinity)
    ? queue(task, 'unblocked')
    : undefined;
}

function isDone(answer: Answer | undefined): boolean {
  return answer !== undefined;
}

function found<T extends { readonly id: string }>(all: readonly T[], id: string): T {
  const one = all.find((item) => item.id === id);
  if (one === undefined) throw new Error(`the model has no ${id}`);
  return one;
}
