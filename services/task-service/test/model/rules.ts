import {
  agentOf,
  answerOf,
  change,
  end,
  give,
  giveUp,
  hasEnded,
  hasRoom,
  isHeld,
  isRelated,
  queue,
  refused,
  taskOf,
  verdict,
  type Answer,
  type Model,
  type Task,
} from './model.js';
import type { Held, Word, WordOf } from './words.js';

type Rules = {
  readonly [Kind in Word['kind']]: (model: Model, word: WordOf<Kind>, ids: readonly string[]) => Answer;
};

/** Says a word to the model: what it answers, and what becomes of the tasks. `ids` are those of tasks it creates. */
export function say(model: Model, word: Word, ids: readonly string[]): Answer {
  const rule = RULES[word.kind] as (model: Model, word: Word, ids: readonly string[]) => Answer;
  return rule(model, word, ids);
}

/** What each command does. Everything else it causes follows in `settle`. */
const RULES: Rules = {
  create(model, { task: { hold, needs, maxRetries } }, [id = '']) {
    const task = create(model, id, { needs, maxRetries });
    if (hold) Object.assign(task, { status: 'created', reason: 'held' });
    return answerOf(task);
  },
  batch(model, { maxRetries }, [first = '', second = '']) {
    const task = create(model, first, { maxRetries });
    create(model, second, { maxRetries });
    return answerOf(task);
  },
  chain(model, { policy }, [first = '', second = '', third = '']) {
    create(model, first, {});
    create(model, second, { needs: [{ id: first, policy, name: 'x' }] });
    create(model, third, { needs: [{ id: second, policy, name: 'y' }] });
    return answerOf(taskOf(model, first));
  },
  spawn(model, word, [id = '']) {
    const parent = taskOf(model, word.task);
    const refusal = refuseFence(model, parent, { ...word, over: 'nats' });
    if (refusal) return refusal;
    if (parent.depth === 16) return refused('DELEGATION_DEPTH');
    const { detached, maxRetries, agent } = word;
    const child = {
      parent: parent.id,
      depth: parent.depth + 1,
      creator: `agent:${agent}`,
      detached,
      maxRetries,
    };
    return answerOf(create(model, id, child));
  },
  release(model, word) {
    const task = taskOf(model, word.task);
    if (task.status !== 'created') return refused('TASK_STATE_CONFLICT');
    if (verdict(model, task) === 'go') return queue(task, 'released');
    return change(task, { status: 'blocked', reason: 'dependency' });
  },
  cancel(model, word) {
    const task = taskOf(model, word.task);
    return hasEnded(task) ? refused('TASK_STATE_CONFLICT') : end(task, 'cancelled', 'requested');
  },
  distribute(model, { task: id, agent }) {
    const task = taskOf(model, id);
    if (task.status !== 'queued' || (task.pin ?? agent) !== agent) return refused('TASK_STATE_CONFLICT');
    if (agentOf(model, agent).status !== 'online') return refused('AGENT_NOT_ONLINE');
    return hasRoom(model, agent) ? give(task, agent, null) : refused('AGENT_AT_CAPACITY');
  },
  assign(model, { task: id, agent, ifFull }) {
    const task = taskOf(model, id);
    if (task.status !== 'queued') return refused('TASK_STATE_CONFLICT');
    const refusal = refuseTarget(model, task, agent);
    if (refusal) return refusal;
    if (hasRoom(model, agent)) return give(task, agent, 'by_hand');
    const why = agentOf(model, agent).status === 'online' ? 'AGENT_AT_CAPACITY' : 'AGENT_NOT_ONLINE';
    if (ifFull === 'refuse') return refused(why);
    if (task.pin === agent) return answerOf(task);
    task.backTo = null;
    return queue(task, 'pinned', agent);
  },
  reassign(model, { task: id, agent }) {
    const task = taskOf(model, id);
    if (!isHeld(task)) return refused('TASK_STATE_CONFLICT');
    if (agent === task.agent) return answerOf(task);
    const refusal = agent === null ? undefined : refuseTarget(model, task, agent);
    if (refusal) return refusal;
    const isFree = agent !== null && hasRoom(model, agent);
    const answer = isFree ? give(task, agent, 'reassigned') : queue(task, 'reassigned', agent);
    task.backTo = null;
    return answer;
  },
  start: (model, word) =>
    asHolder(model, word, (task) => {
      if (task.status === 'in_progress') return answerOf(task);
      return change(task, { status: 'in_progress', reason: null, epoch: word.epoch, handovers: 0 });
    }),
  progress: (model, word) => asHolder(model, word, tell),
  checkpoint: (model, word) => asHolder(model, { ...word, over: 'nats' }, tell),
  complete: (model, word) =>
    asHolder(model, word, (task) =>
      task.status === 'in_progress' ? end(task, 'completed', null) : refused('TASK_STATE_CONFLICT'),
    ),
  fail: (model, word) =>
    asHolder(model, word, (task) => {
      if (!word.retryable) return end(task, 'failed', 'not_retryable');
      if (task.retries >= task.maxRetries) return end(task, 'failed', 'retries_exhausted');
      task.retries += 1;
      return queue(task, 'retry');
    }),
  return: (model, word) =>
    asHolder(model, word, (task) => {
      if (word.reason === 'declined' && !task.excluded.includes(word.agent)) task.excluded.push(word.agent);
      return giveUp(model, task, 'returned');
    }),
  delegate: (model, word) =>
    asHolder(model, word, (task) => {
      const { agent: from, to } = word;
      const chain = task.chain.includes(from) ? task.chain : [...task.chain, from];
      if (to === from) return refused('DELEGATION_CYCLE');
      if (!model.edges.includes(`${from}>${to}`)) return refused('DELEGATION_NOT_CONNECTED');
      if (chain.includes(to)) return refused('DELEGATION_CYCLE');
      const refusal = refuseTarget(model, task, to);
      if (refusal) return refusal;
      const answer = hasRoom(model, to) ? give(task, to, 'delegated') : queue(task, 'delegated', to);
      Object.assign(task, { chain, backTo: from });
      return answer;
    }),
  update(model, { task: id, priority, version }) {
    const task = taskOf(model, id);
    if (hasEnded(task)) return refused('TASK_STATE_CONFLICT');
    if ((version ?? task.version) !== task.version) return refused('VERSION_MISMATCH');
    return priority === task.priority ? answerOf(task) : change(task, { priority });
  },
  reopen(model, { task: id }) {
    const task = taskOf(model, id);
    const parent = task.parent === null ? undefined : taskOf(model, task.parent);
    const isAgain = (parent?.status === 'cancelled' || parent?.status === 'failed') && !task.detached;
    if (!hasEnded(task) || task.status === 'completed' || isAgain) return refused('TASK_STATE_CONFLICT');
    Object.assign(task, { retries: 0, lost: 0, handovers: 0, chain: [], backTo: null, excluded: [] });
    return verdict(model, task) === 'go' ? queue(task, 'reopened') : change(task, WAITS);
  },
  ask: (model, word) => asHolder(model, word, (task) => change(task, { ...WAITS, reason: word.reason })),
  await: (model, word) =>
    asHolder(model, word, (task) => {
      return change(task, { ...WAITS, reason: 'children', awaited: word.children === 'any' ? 1 : null });
    }),
  answer(model, { task: id, isDenied }) {
    const task = taskOf(model, id);
    if (task.status !== 'blocked' || task.reason !== 'input') return refused('TASK_STATE_CONFLICT');
    return isDenied ? end(task, 'failed', 'denied') : queue(task, 'answered');
  },
  unblock(model, { task: id }) {
    const task = taskOf(model, id);
    if (task.status !== 'blocked' || task.reason !== 'external') return refused('TASK_STATE_CONFLICT');
    return queue(task, 'unblocked');
  },
  link(model, { task: id, needed, policy }) {
    const task = taskOf(model, id);
    if (!mayRelink(task)) return refused('TASK_STATE_CONFLICT');
    if (needed === id) return refused('DEPENDENCY_CYCLE');
    if (task.needs.some((need) => need.id === needed && need.policy === policy && need.name === undefined))
      return answerOf(task);
    return relink(model, task, [...task.needs.filter((need) => need.id !== needed), { id: needed, policy }]);
  },
  unlink(model, { task: id, needed }) {
    const task = taskOf(model, id);
    if (!mayRelink(task)) return refused('TASK_STATE_CONFLICT');
    const left = task.needs.filter((need) => need.id !== needed);
    return left.length === task.needs.length ? answerOf(task) : relink(model, task, left);
  },
  hello(model, { agent: id, process }) {
    const agent = agentOf(model, id);
    const known = agent.processes.lastIndexOf(process);
    if (known >= 0 && known + 1 < agent.epoch) return refused('STALE_SESSION');
    const isSame = known >= 0 && agent.status !== 'offline';
    if (!isSame) {
      agent.epoch += 1;
      agent.processes[agent.epoch - 1] = process;
    }
    if (!isSame || agent.status !== 'draining') agent.status = 'online';
    return { status: agent.status, attempt: agent.epoch, version: 0 };
  },
  goodbye(model, { agent: id, epoch, mode }) {
    const agent = agentOf(model, id);
    const status = mode === 'drain' ? 'draining' : 'offline';
    if (agent.epoch === epoch && agent.status !== 'offline') agent.status = status;
    return { status, attempt: 0, version: 0 };
  },
  silent(model, { agent: id, epoch }) {
    const agent = agentOf(model, id);
    const isExpired = agent.epoch === epoch && agent.status !== 'offline';
    if (isExpired) agent.status = 'offline';
    return { status: String(isExpired), attempt: 0, version: 0 };
  },
};

const WAITS = { status: 'blocked', reason: 'dependency', agent: null, pin: null } as const;

/** Dependencies change until a task is given to an agent. */
function mayRelink({ status, reason }: Task): boolean {
  return status === 'created' || status === 'queued' || (status === 'blocked' && reason === 'dependency');
}

function relink(model: Model, task: Task, needs: Task['needs']): Answer {
  task.needs = needs;
  const mayGo = verdict(model, task) === 'go';
  if (task.status === 'created' || (mayGo && task.status === 'queued')) return change(task, {});
  return mayGo ? queue(task, 'unblocked') : change(task, WAITS);
}

function create(model: Model, id: string, given: Partial<Task>): Task {
  const task: Task = {
    id,
    status: 'queued',
    reason: 'created',
    version: 1,
    attempt: 0,
    agent: null,
    had: [],
    last: null,
    epoch: null,
    retries: 0,
    lost: 0,
    handovers: 0,
    pin: null,
    chain: [],
    creator: 'user:local',
    parent: null,
    depth: 0,
    detached: false,
    maxRetries: 3,
    priority: 3,
    needs: [],
    awaited: null,
    backTo: null,
    excluded: [],
    ...given,
  };
  model.tasks.push(task);
  if (verdict(model, task) !== 'go') Object.assign(task, { status: 'blocked', reason: 'dependency' });
  return task;
}

/** What is told of a task while it is worked on changes nothing of it. */
function tell(task: Task): Answer {
  return task.status === 'in_progress' ? answerOf(task) : refused('TASK_STATE_CONFLICT');
}

function asHolder(model: Model, word: Held, rule: (task: Task) => Answer): Answer {
  const task = taskOf(model, word.task);
  return refuseFence(model, task, word) ?? rule(task);
}

/** What the fence says; over NATS nothing of a task that the agent has nothing to do with. */
function refuseFence(model: Model, task: Task, held: Held): Answer | undefined {
  const refusal = refuseStale(model, task, held);
  const isHidden = refusal && held.over === 'nats' && !isRelated(model, task, held.agent);
  return isHidden ? refused('TASK_NOT_FOUND') : refusal;
}

/** In this order: ended, another's or an earlier attempt, another process, no longer held. */
function refuseStale(model: Model, task: Task, { agent, attempt, epoch }: Held): Answer | undefined {
  if (hasEnded(task)) return refused('TASK_STATE_CONFLICT');
  if (task.last !== agent || task.attempt !== attempt) return refused('STALE_ATTEMPT');
  const live = isHeld(task) ? agentOf(model, agent).epoch : epoch;
  if ((task.epoch ?? live) !== epoch) return refused('STALE_SESSION');
  return isHeld(task) ? undefined : refused('STALE_ATTEMPT');
}

/** Why an agent may not be named for a task. */
function refuseTarget(model: Model, task: Task, agent: string): Answer | undefined {
  if (agentOf(model, agent).status === 'draining') return refused('DELEGATION_DRAINING');
  return task.excluded.includes(agent) ? refused('DELEGATION_CAPABILITY') : undefined;
}
