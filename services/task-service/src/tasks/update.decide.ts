import { DomainError, jsonProblem, LIMITS, type JsonObject, type JsonValue } from '@baton/contracts';
import { needsClass } from './needs-class.js';
import { changed, conflict, queueKey, scheduled } from './outcome.decide.js';
import { ownPin, pinClass, presentPin, type Pinned } from './pin.policy.js';
import { allows, isHeld } from './task.state.js';
import { refuseNewInput, type TaskChanges, type UpdateCommand } from './task.changes.js';
import type {
  Changed,
  Decided,
  MutableSettings,
  Related,
  Task,
  TaskDescription,
  TaskPayload,
  TaskProgression,
} from './task.js';

/** Somebody decided by what they had read: refused when the task has changed since. */
export function refuseVersion(task: Task, versions: readonly number[] | undefined): DomainError | undefined {
  if (versions === undefined || versions.includes(task.version)) return undefined;
  const message = `Task ${task.id} is at version ${task.version}, expected ${versions.join(' or ')}; read it again`;
  return new DomainError('VERSION_MISMATCH', message, {
    details: { version: task.version, status: task.status },
  });
}

/** Changes fields of a task that has not ended; its status never. */
export function update(
  task: Task,
  { described }: Related,
  command: UpdateCommand,
  now: number,
): Decided | DomainError {
  if (!allows('update', task.status)) return conflict(task, 'it has ended');
  if (described === undefined) throw new Error(`the fields of task ${task.id} were not read`);
  const changes = command.merge ? merged(described, command.changes) : command.changes;
  if (changes instanceof DomainError) return changes;
  const refused = refuseNewInput(command, changes);
  if (refused !== undefined) return refused;
  const moved = changes.availableAt !== undefined && changes.availableAt !== task.availableAt;
  if (moved && isHeld(task.status)) return conflict(task, 'availableAt can be set only while it waits');
  const revision = revise(task, described, changes, now);
  if (!moved && isNothing(revision)) return { outcome: 'unchanged', task };
  const decided = changed(task, 'update', 'task.updated', now, revision.state, {
    described: revision.described,
  });
  // Nothing happened to an offer that is on its way.
  const { offerTries, offerAcceptedAt } = task;
  return { ...decided, task: scheduled({ ...decided.task, offerTries, offerAcceptedAt }) };
}

type Described = TaskDescription & TaskPayload;
type Settings = MutableSettings & Pick<Task, 'needsClass'>;
type Revision = {
  readonly state: Partial<TaskProgression & Settings>;
  readonly described: NonNullable<Changed['described']>;
};

const SETTINGS = [
  'requiredCapabilities',
  'preferredCapabilities',
  'criteria',
  'maxRetries',
  'retryPolicy',
  'timeout',
  'startTimeout',
  'queueTimeout',
  'progressTimeout',
  'deadline',
] as const satisfies readonly (keyof MutableSettings)[];
const DESCRIBED = [
  'title',
  'description',
  'tags',
  'metadata',
  'estimatedDuration',
  'input',
  'context',
] as const satisfies readonly (keyof Described)[];

/** The fields that really differ, with those that follow from them. */
export function revise(task: Task, described: Described, changes: TaskChanges, now: number): Revision {
  const settings = differing(SETTINGS, task, changes);
  const next = { ...task, ...settings };
  const isOfOtherClass = 'requiredCapabilities' in settings || 'criteria' in settings;
  const priority = changes.priority ?? task.priority;
  const state = {
    ...settings,
    ...(isOfOtherClass ? { needsClass: classOf(next) } : {}),
    ...('criteria' in settings ? { excludedAgents: excludedBy(task, next) } : {}),
    ...(priority === task.priority ? {} : { priority, queueKey: reordered(task, priority) }),
  };
  return {
    state: { ...state, ...availability(task, { ...next, ...state }, changes.availableAt, now) },
    described: differing(DESCRIBED, described, changes),
  };
}

/** When it may be taken, and whether it stands in the backlog; a task with an agent is not asked. */
function availability(
  before: Task,
  task: Task,
  availableAt: number | null | undefined,
  now: number,
): Partial<TaskProgression> | undefined {
  if (isHeld(task.status)) return undefined;
  if (task.status !== 'queued') {
    return availableAt === undefined ? undefined : { availableAt, backlogClass: null };
  }
  const isGiven = availableAt !== undefined;
  const later = isGiven ? laterThan(now, availableAt) : task.availableAt;
  const pin = pinOf(before, task, later ?? now);
  const readyClass = pin === null ? task.needsClass : pinClass(pin.agentId);
  return {
    availableAt: later,
    backlogClass: later === null ? readyClass : null,
    pinnedTo: pin?.agentId ?? null,
    pinnedUntil: pin?.until ?? null,
  };
}

/** Who a queued task waits for alone: whom it asks for now, or whom it waits for already. */
function pinOf(before: Task, { criteria }: Task, readyAt: number): Pinned | null {
  const [was, is] = [before.criteria.pin, criteria.pin];
  if (JSON.stringify(was) === JSON.stringify(is)) return presentPin(before);
  if (is !== undefined) return ownPin({ criteria, firstQueuedAt: null }, readyAt);
  return was?.agentId === before.pinnedTo ? null : presentPin(before);
}

function laterThan(now: number, availableAt: number | null): number | null {
  return availableAt !== null && availableAt > now ? availableAt : null;
}

function isNothing({ state, described }: Revision): boolean {
  const { availableAt: _, backlogClass: _class, pinnedTo: _pin, pinnedUntil: _until, ...rest } = state;
  return Object.keys(rest).length === 0 && Object.keys(described).length === 0;
}

/** First come, first served goes on from when it first became ready. */
function reordered({ firstQueuedAt }: Task, priority: Task['priority']): number | null {
  return firstQueuedAt === null ? null : queueKey({ priority }, firstQueuedAt);
}

function classOf({ type, requiredCapabilities, criteria }: Task): string {
  return needsClass({
    type,
    requiredCapabilities: [...requiredCapabilities],
    criteria,
  });
}

/** Agents that declined it stay excluded whatever the criteria say now. */
function excludedBy(before: Task, { criteria }: Task): readonly string[] {
  const asked = new Set(before.criteria.excludedAgents);
  const declined = before.excludedAgents.filter((agent) => !asked.has(agent));
  return [...new Set([...(criteria.excludedAgents ?? []), ...declined])];
}

function differing<Key extends string>(
  keys: readonly Key[],
  before: Readonly<Record<Key, unknown>>,
  changes: TaskChanges,
): object {
  const given = changes as Readonly<Record<string, unknown>>;
  const names = keys.filter(
    (name) => given[name] !== undefined && JSON.stringify(given[name]) !== JSON.stringify(before[name]),
  );
  return Object.fromEntries(names.map((name) => [name, given[name]]));
}

/** The changes with the objects of the sender's own merged into what is there. */
function merged(described: Described, changes: TaskChanges): TaskChanges | DomainError {
  const whole: Record<string, unknown> = { ...changes };
  for (const name of ['metadata', 'input', 'context'] as const) {
    const patch = changes[name];
    if (patch === undefined) continue;
    const value = mergePatch(described[name], patch);
    const problem = jsonProblem(value, LIMITS.payloadBytes);
    if (problem !== undefined) return tooMuch(name, problem);
    whole[name] = value;
  }
  return whole;
}

function tooMuch(name: string, problem: string): DomainError {
  const errors = [{ pointer: `/${name}`, code: 'merged', detail: problem }];
  return new DomainError('VALIDATION_FAILED', `Changes: /${name} with what is there: ${problem}`, {
    details: { errors },
  });
}

/** RFC 7396. As deep as JSON of an edge may be. */
function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const result: Record<string, JsonValue> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
