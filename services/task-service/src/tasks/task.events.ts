import { hash } from 'node:crypto';
import type { Criteria, QueuedTask, TaskEvent, TaskEventData, TaskEventType } from '@baton/contracts';
import { agentOf } from '@baton/contracts';
import { changesBetween, changesOfNew, type ReplayedTask } from './task.fold.js';
import { isHeld } from './task.state.js';
import type { Changed, NewTask, Task } from './task.js';

/** `event_data` of a task's first event: all of it but the payload, of which the SHA-256 stands here. */
export function createdEventData(task: Task, definition: NewTask): string {
  const { title, description, tags, metadata, estimatedDuration } = definition;
  return JSON.stringify({
    changes: { ...changesOfNew(task), title, description, tags, metadata, estimatedDuration },
    inputSha256: sha256(JSON.stringify(definition.input)),
    contextSha256: sha256(JSON.stringify(definition.context)),
  });
}

/** `event_data` of a later event: the fields that changed, and what the arrow adds. */
export function changedEventData(before: Task, changed: Changed, result: string | null): string {
  const { input, context, ...described } = changed.described ?? {};
  return JSON.stringify({
    changes: { ...changesBetween(before, changed.task), ...described },
    ...changed.detail,
    ...(input === undefined ? {} : { inputSha256: sha256(JSON.stringify(input)) }),
    ...(context === undefined ? {} : { contextSha256: sha256(JSON.stringify(context)) }),
    ...(result === null ? {} : { resultSha256: sha256(result) }),
  });
}

/** The SHA-256 of stored JSON text, in hexadecimal. */
function sha256(text: string): string {
  return text === NOTHING ? SHA256_OF_NOTHING : hash('sha256', text, 'hex');
}

// What most tasks have as input, context or result.
const NOTHING = '{}';
const SHA256_OF_NOTHING = hash('sha256', NOTHING, 'hex');

/** The event as the bus carries it: what scorers and views need, never input, context or result. */
export function toTaskEvent(
  task: ReplayedTask,
  type: TaskEventType,
  detail: Pick<NonNullable<Changed['detail']>, 'decision'> | undefined,
  before: ReplayedTask | undefined,
): TaskEvent {
  const ready = task.status === 'queued';
  const left = before && leftBy(before, task);
  const data: TaskEventData = {
    status: task.status,
    reason: task.statusReason,
    type: task.type,
    priority: task.priority,
    createdBy: task.createdBy,
    agent: type === 'task.queued' ? null : task.lastAgentId,
    parentTaskId: task.parentTaskId,
    rootTaskId: task.rootTaskId,
    retryCount: task.retryCount,
    lostCount: task.lostCount,
    createdAt: iso(task.createdAt),
    firstQueuedAt: isoOrNull(task.firstQueuedAt),
    assignedAt: isoOrNull(task.assignedAt),
    startedAt: isoOrNull(task.startedAt),
    completedAt: isoOrNull(task.completedAt),
    errorCode: task.error?.code ?? null,
    ...(task.delegationChain.length === 0 ? {} : { delegationChain: [...task.delegationChain] }),
    ...(left === undefined ? {} : { left }),
    ...(ready ? { needs: toNeeds(task) } : {}),
    ...(detail?.decision === undefined ? {} : { decision: detail.decision }),
  };
  return {
    specversion: '1.0',
    id: `${task.id}:${task.version}`,
    source: '/task-service',
    type,
    subject: task.id,
    time: iso(task.updatedAt),
    datacontenttype: 'application/json',
    ...(task.traceparent === null ? {} : { traceparent: task.traceparent }),
    taskversion: task.version,
    attempt: task.attempt,
    data,
  };
}

function leftBy(before: ReplayedTask, after: ReplayedTask): TaskEventData['left'] {
  const { status, assignedTo, assignedAt, startedAt, attempt, requiredCapabilities } = before;
  if (assignedTo === null || assignedAt === null || !isHeld(status)) return undefined;
  if (isHeld(after.status) && after.attempt === attempt) return undefined;
  const started = status === 'in_progress' ? startedAt : null;
  return {
    agent: assignedTo,
    assignedAt: iso(assignedAt),
    startedAt: isoOrNull(started),
    ...(requiredCapabilities.length === 0
      ? {}
      : { capabilities: requiredCapabilities.map(({ name }) => name) }),
  };
}

/** What the distribution must know about a task that is ready. */
function toNeeds(task: ReplayedTask): NonNullable<TaskEventData['needs']> {
  const { pin: _, ...criteria } = task.criteria;
  return {
    backlogClass: task.backlogClass,
    queueKey: task.queueKey ?? 0,
    requiredCapabilities: [...task.requiredCapabilities],
    preferredCapabilities: [...task.preferredCapabilities],
    criteria: {
      ...criteria,
      excludedAgents: [...task.excludedAgents],
      ...preferredAgain(task),
    },
    skippedAgents: task.skippedAgents.map(({ agentId, until }) => ({ agentId, until: iso(until) })),
    connectedFrom: task.delegationChain.at(-1) ?? agentOf(task.createdBy) ?? null,
    ...(task.pinnedTo === null ? {} : { pinnedTo: task.pinnedTo }),
  };
}

/**
 * After a wait the agent that knows the task is preferred too. Worked out here, and no part of the backlog class: else
 * each agent's tasks would be a class of their own.
 */
function preferredAgain({
  statusReason,
  lastAgentId,
  criteria,
}: ReplayedTask): Pick<Criteria, 'preferredAgents'> {
  if (lastAgentId === null || !(statusReason === 'unblocked' || statusReason === 'answered')) return {};
  return { preferredAgents: [...new Set([...(criteria.preferredAgents ?? []), lastAgentId])] };
}

/** A ready task as the distribution sees it. */
export function toQueuedTask(task: Task): QueuedTask {
  const needs = toNeeds(task);
  return {
    id: task.id,
    version: task.version,
    type: task.type,
    priority: task.priority,
    firstQueuedAt: iso(task.firstQueuedAt ?? task.createdAt),
    ...(task.traceparent === null ? {} : { traceparent: task.traceparent }),
    needs: { ...needs, backlogClass: needs.backlogClass ?? task.needsClass },
  };
}

// Tasks of a batch share most of their times, and formatting one costs more than all else in an event.
const texts = new Map<number, string>();
const TEXTS_KEPT = 1_000;

export function iso(milliseconds: number): string {
  const known = texts.get(milliseconds);
  if (known !== undefined) return known;
  const text = new Date(milliseconds).toISOString();
  if (texts.size >= TEXTS_KEPT) texts.clear();
  texts.set(milliseconds, text);
  return text;
}

export function isoOrNull(milliseconds: number | null): string | null {
  return milliseconds === null ? null : iso(milliseconds);
}
