import { randomUUID } from 'node:crypto';
import { connectBus, ensureStreams, type Bus } from '@baton/bus';
import {
  agentSubject,
  assignRequest,
  backlogRequest,
  expireRequest,
  HINT_SUBJECTS,
  INBOX_PREFIX,
  QUEUE_GROUPS,
  SERVICE_SUBJECTS,
  snapshotRequest,
} from '@baton/contracts';
import type {
  AssignRequest,
  BacklogCursor,
  Control,
  ErrorCode,
  ExpireRequest,
  PolicyEntry,
  QueuedTask,
} from '@baton/contracts';
import type { SlotsHint, SnapshotAnswer, TaskEvent } from '@baton/contracts';
import { taskEvent, type Nats } from '@baton/testkit';
import { pino } from 'pino';
import { compareTasks } from '../src/assignment/task.order.js';
import { snapshotAgent } from './factories.js';
import { scriptLeases, type ScriptedLeases } from './scripted-leases.js';

type SnapshotAgent = SnapshotAnswer['agents'][number];
type Assigned = AssignRequest['items'][number];

// Most tests let nobody beat: on a slow machine they take longer than any usual time of expiry.
const PATIENT_MS = 600_000;

/** The other side of a distribution-service under test: task-service's subjects, and agents that beat. */
export type ScriptedTaskService = {
  readonly bus: Bus;
  readonly leases: ScriptedLeases;
  readonly agents: Map<string, SnapshotAgent>;
  /** Policies somebody put. */
  readonly policies: PolicyEntry[];
  readonly assigned: Assigned[];
  /** The codes of all refused proposals. */
  readonly refused: ErrorCode[];
  /** Proposals for agents without a slot. */
  readonly overfilled: Assigned[];
  readonly expired: ExpireRequest['items'];
  readonly controls: { readonly agentId: string; readonly control: Control }[];
  /** How often each subject was asked. */
  readonly asked: Map<string, number>;
  /** Adds an agent that snapshots know and that need not beat, unless the test gives it a time to expire. */
  addAgent(agentId: string, overrides?: Partial<SnapshotAgent>): void;
  /** Sends the hint about an agent. */
  tell(agentId: string): void;
  /** Beats every 200 ms until the returned function is called. */
  beat(agentId: string, epoch?: number): () => void;
  /** Puts tasks into the backlog and publishes their events in messages of at most 100. */
  create(tasks: readonly QueuedTask[]): Promise<void>;
  /** The backlog is answered as empty from now on: only events bring tasks. */
  hideBacklog(): void;
  /** Puts a task into the backlog without a word. */
  queue(task: QueuedTask): void;
  /** The task ended: its slot is free, and the hint says so. */
  end(taskId: string): void;
  /** Requests on this subject are not answered from now on. */
  ignore(subject: string): void;
  /** The next assignment to this agent is refused with this code. */
  refuse(agentId: string, code: ErrorCode): void;
  close(): Promise<void>;
};

/** Answers as the contract says, from memory. */
export async function startScriptedTaskService({ url, access }: Nats): Promise<ScriptedTaskService> {
  const logger = pino({ level: 'silent' });
  const bus = await connectBus({
    servers: url,
    name: 'scripted',
    inboxPrefix: INBOX_PREFIX.service('task-service'),
    credentials: await access.operator(),
    logger,
  });
  await ensureStreams(bus);
  const agents = new Map<string, SnapshotAgent>();
  const policies: PolicyEntry[] = [];
  const backlog = new Map<string, QueuedTask>();
  const byClass = new Map<string, QueuedTask[]>();
  const refusals = new Map<string, ErrorCode>();
  const beats = new Set<NodeJS.Timeout>();
  const asked = new Map<string, number>();
  const ignored = new Set<string>();
  const assigned: Assigned[] = [];
  const overfilled: Assigned[] = [];
  const refused: ErrorCode[] = [];
  const expired: ExpireRequest['items'] = [];
  const controls: { agentId: string; control: Control }[] = [];

  answer(SERVICE_SUBJECTS.snapshot, (body) => {
    const { agentIds } = snapshotRequest.parse(body);
    const found = [...agents.values()].filter(({ agentId }) => agentIds?.includes(agentId) ?? true);
    return { agents: found, policies, next: null };
  });
  answer(SERVICE_SUBJECTS.assign, (body) => ({ items: assignRequest.parse(body).items.map(assign) }));
  answer(SERVICE_SUBJECTS.backlog, readBacklog);
  let isHidden = false;
  const leases = scriptLeases();
  answer(SERVICE_SUBJECTS.lease, (body) => leases.answer(body));
  answer(SERVICE_SUBJECTS.expire, (body) => {
    const { items } = expireRequest.parse(body);
    expired.push(...items);
    for (const { agentId } of items) change(agentId, { status: 'offline', held: [] });
    return { items: items.map(({ agentId }) => ({ ok: true, agentId, expired: true })) };
  });
  bus.subscribe(agentSubject.control('*'), (body, subject) => {
    controls.push({ agentId: subject.split('.')[1] ?? '', control: body as Control });
  });
  await bus.connection.flush();

  return {
    bus,
    leases,
    agents,
    policies,
    assigned,
    refused,
    overfilled,
    expired,
    controls,
    asked,
    addAgent(agentId, overrides) {
      agents.set(agentId, snapshotAgent(agentId, { expireMs: PATIENT_MS, ...overrides }));
    },
    tell(agentId) {
      const { held: _, ...entry } = agentOf(agentId);
      bus.publishHint(HINT_SUBJECTS.fleet, entry);
    },
    beat(agentId, epoch = 1) {
      const send = () => bus.publishHint(agentSubject.heartbeat(agentId), { epoch, seq: 1, running: [] });
      const timer = setInterval(send, 200);
      beats.add(timer);
      send();
      return () => clearInterval(timer);
    },
    async create(tasks) {
      for (const task of tasks) add(task);
      for (let start = 0; start < tasks.length; start += 100) {
        const events = tasks.slice(start, start + 100).map(createdEvent);
        await bus.publishEvents('task.created', randomUUID(), JSON.stringify(events));
      }
    },
    hideBacklog: () => void (isHidden = true),
    queue: add,
    end(taskId) {
      for (const { agentId, held } of agents.values()) {
        const task = held.find((candidate) => candidate.taskId === taskId);
        if (task === undefined) continue;
        change(agentId, { held: held.filter((candidate) => candidate !== task) });
        hint([{ agentId, taskId, attempt: 1, version: task.version + 2, held: false }]);
      }
    },
    ignore: (subject) => void ignored.add(subject),
    refuse: (agentId, code) => void refusals.set(agentId, code),
    async close() {
      for (const timer of beats) clearInterval(timer);
      await bus.close();
    },
  };

  function answer(subject: string, reply: (body: unknown) => object | undefined): void {
    const receive = (message: { json(): unknown; respond(body: string): boolean }) => {
      asked.set(subject, (asked.get(subject) ?? 0) + 1);
      if (ignored.has(subject)) return;
      const answered = reply(message.json());
      if (answered !== undefined) message.respond(JSON.stringify(answered));
    };
    bus.listen(subject, receive, { queue: QUEUE_GROUPS.task });
  }

  function assign(item: Assigned): object {
    const task = backlog.get(item.taskId);
    const agent = agentOf(item.agentId);
    const isFull = agent.held.length >= agent.maxConcurrent + agent.prefetch;
    if (isFull) overfilled.push(item);
    const isStale = item.shardEpoch < leases.epochOf(item.agentId);
    const refusal = refusals.get(item.agentId) ?? usualRefusal(task, { isFull, isStale });
    refusals.delete(item.agentId);
    if (refusal !== undefined) refused.push(refusal);
    if (refusal !== undefined || task === undefined) {
      return { ok: false, error: { code: refusal, message: 'refused by the test', retryable: false } };
    }
    backlog.delete(item.taskId);
    assigned.push(item);
    const hold = { taskId: item.taskId, attempt: 1, version: task.version + 1 };
    agent.held.push(hold);
    hint([{ agentId: item.agentId, ...hold, held: true }]);
    return { ok: true, ...hold };
  }

  function readBacklog(body: unknown): object {
    const { classes, discover } = backlogRequest.parse(body);
    const pages = classes.map(({ backlogClass, after, limit }) => {
      const tasks = queuedOf(backlogClass).filter((task) => after === undefined || isBehind(task, after));
      return { backlogClass, tasks: tasks.slice(0, limit), more: tasks.length > limit };
    });
    const names = [...byClass.keys()].filter((name) => name > (discover?.after ?? '')).toSorted();
    const heads = names.map((name) => queuedOf(name)[0]).filter((task) => task !== undefined);
    return { classes: pages, discovered: heads.slice(0, discover?.limit ?? 0) };
  }

  /** The queued tasks of a class, best first. */
  function queuedOf(backlogClass: string): readonly QueuedTask[] {
    const all = isHidden ? [] : (byClass.get(backlogClass) ?? []);
    const rest = all.filter(({ id }) => backlog.has(id));
    byClass.set(backlogClass, rest);
    return rest;
  }

  function add(task: QueuedTask): void {
    backlog.set(task.id, task);
    const tasks = byClass.get(task.needs.backlogClass) ?? [];
    tasks.splice(tasks.findLastIndex((other) => compareTasks(other, task) < 0) + 1, 0, task);
    byClass.set(task.needs.backlogClass, tasks);
  }

  function agentOf(agentId: string): SnapshotAgent {
    const agent = agents.get(agentId);
    if (agent === undefined) throw new Error(`the test knows no agent ${agentId}`);
    return agent;
  }

  function change(agentId: string, changes: Partial<SnapshotAgent>): void {
    agents.set(agentId, { ...agentOf(agentId), ...changes });
  }

  function hint(slots: SlotsHint): void {
    bus.publishHint(HINT_SUBJECTS.slots, slots);
  }
}

function usualRefusal(
  task: QueuedTask | undefined,
  { isFull, isStale }: { readonly isFull: boolean; readonly isStale: boolean },
): ErrorCode | undefined {
  if (isStale) return 'STALE_SHARD';
  if (task === undefined) return 'TASK_STATE_CONFLICT';
  return isFull ? 'AGENT_AT_CAPACITY' : undefined;
}

function isBehind({ id, needs }: QueuedTask, cursor: BacklogCursor): boolean {
  return needs.queueKey > cursor.queueKey || (needs.queueKey === cursor.queueKey && id > cursor.id);
}

function createdEvent({
  id: taskId,
  version,
  type,
  priority,
  firstQueuedAt: time,
  needs,
}: QueuedTask): TaskEvent {
  return taskEvent('task.created', { taskId, version, time, data: { type, priority, needs } });
}
