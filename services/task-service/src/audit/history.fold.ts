import type { JsonValue, TaskEventType, TaskStatus } from '@baton/contracts';
import { replay, type Changes, type ReplayedTask } from '../tasks/task.fold.js';
import { ARROWS, isTerminal } from '../tasks/task.state.js';
import type { TaskDescription } from '../tasks/task.js';

/** What only agents read is not in the history; its SHA-256 is, in hexadecimal. Null for what is not there. */
export const PAYLOADS = ['input', 'context', 'result'] as const;
export type Payload = (typeof PAYLOADS)[number];
export type Hashes = Readonly<Record<Payload, string | null>>;

/** One stored event as the audit reads it. `at` is milliseconds of the epoch. */
export type AuditedEvent = {
  readonly version: number;
  readonly type: TaskEventType;
  readonly at: number;
  readonly attempt: number;
  readonly data: { readonly changes: Changes } & { readonly [Name in `${Payload}Sha256`]?: string };
};

/** A row as the audit reads it: everything but payload and bookkeeping. */
export type AuditedTask = {
  readonly task: ReplayedTask & TaskDescription;
  readonly hashes: Hashes;
  readonly archived: boolean;
};

/** How far the events of one task were followed. */
export type Followed = {
  readonly task: ReplayedTask | undefined;
  readonly hashes: Hashes;
  readonly problems: readonly string[];
};

export const UNBORN: Followed = {
  task: undefined,
  hashes: { input: null, context: null, result: null },
  problems: [],
};

/** Follows one more event, and tells what of it cannot be: a version left out, a step that is no arrow. */
export function follow(before: Followed, event: AuditedEvent): Followed {
  const task = replay([{ version: event.version, at: event.at, changes: event.data.changes }], before.task);
  if (task === undefined) return before;
  const told = Object.fromEntries(
    PAYLOADS.map((name) => [name, event.data[`${name}Sha256`] ?? before.hashes[name]]),
  ) as Hashes;
  return { task, hashes: told, problems: [...before.problems, ...judge(before.task, event, task)] };
}

/** What a row has and its history does not lead to. */
export function compare({ task: led, hashes }: Followed, row: AuditedTask): readonly string[] {
  if (led === undefined) return ['it has no history'];
  const fields = new Set([...Object.keys(row.task), ...Object.keys(led)]);
  const differing = [...fields].flatMap((field) => {
    const [has, leads] = [valueOf(row.task, field), valueOf(led, field)];
    return isSame(has, leads)
      ? []
      : [`its ${field} is ${show(has)}, but its history leads to ${show(leads)}`];
  });
  const forged = PAYLOADS.filter((name) => hashes[name] !== row.hashes[name]).map(
    (name) => `its ${name} is not the one its history tells of (SHA-256 ${hashes[name] ?? 'none'})`,
  );
  const misplaced = row.archived && !isTerminal(row.task.status) ? ['it is archived and has not ended'] : [];
  return [...differing, ...forged, ...misplaced];
}

function judge(
  before: ReplayedTask | undefined,
  event: AuditedEvent,
  after: ReplayedTask,
): readonly string[] {
  const { version, type, at, attempt } = event;
  const expected = (before?.version ?? 0) + 1;
  const from = before?.status;
  return [
    ...(version === expected ? [] : [`expected version ${expected}, got ${version}`]),
    ...(isArrow(from, after.status, type)
      ? []
      : [`version ${version}: ${type} from ${from ?? 'nothing'} to ${after.status} is no arrow`]),
    ...(before === undefined || at >= before.updatedAt
      ? []
      : [`version ${version} is older than what came before it`]),
    ...(attempt === after.attempt
      ? []
      : [`version ${version} is of attempt ${attempt}, not ${after.attempt}`]),
  ];
}

/** Whether one of the arrows leads from here to there and writes such an event. */
function isArrow(from: TaskStatus | undefined, to: TaskStatus, type: TaskEventType): boolean {
  return Object.values(ARROWS).some(
    (arrow) =>
      (from === undefined ? arrow.from.length === 0 : (arrow.from as readonly string[]).includes(from)) &&
      (arrow.to as readonly string[]).includes(to) &&
      (arrow.events as readonly string[]).includes(type),
  );
}

function valueOf(holder: object, field: string): JsonValue | undefined {
  return (holder as Readonly<Record<string, JsonValue | undefined>>)[field];
}

/** As JSON: the order of keys says nothing. */
function isSame(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => isSame(valueOf(one, key), valueOf(other, key)))
  );
}

const SHOWN_CHARACTERS = 80;

function show(value: JsonValue | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
