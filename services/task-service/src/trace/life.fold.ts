import type { LifeSpan } from '@baton/contracts';
import { replay, type ReplayedTask, type ReplayEvent } from '../tasks/task.fold.js';
import { isHeld, isTerminal } from '../tasks/task.state.js';

/** A stored event as the fold reads it. `at` is milliseconds of the epoch. */
export type LifeEvent = ReplayEvent & { readonly type: string; readonly reason: string | null };

/** A span with times in milliseconds of the epoch; `endedAt` is null while it goes on. */
export type Span = Omit<LifeSpan, 'startedAt' | 'endedAt' | 'taskId'> & {
  readonly startedAt: number;
  readonly endedAt: number | null;
};

/** The life of one task, followed event by event. */
export type Life = {
  /** Takes the next event in order of version. O(spans that go on): four at most. */
  follow(event: LifeEvent): void;
  /** In order of their begin; the first is that of the task. */
  readonly spans: readonly Span[];
  readonly task: () => ReplayedTask | undefined;
};

const ROOT = 'task';
const GOING_ON = { endedAt: null, outcome: null, reason: null };

/** A life nothing is known of yet. */
export function createLife(): Life {
  const spans: Span[] = [];
  /** Where in `spans` those stand that go on. */
  const open = new Set<number>();
  let task: ReplayedTask | undefined;

  function follow(event: LifeEvent): void {
    const before = task;
    const after = replay([event], before);
    if (after === undefined) return;
    const previous = spans.findLast(({ kind }) => kind === 'attempt');
    for (const place of open) {
      const span = spans[place];
      if (span === undefined || !isOver(span, before, after, event)) continue;
      spans[place] = ended(span, after, event);
      open.delete(place);
    }
    const [root] = spans;
    if (root !== undefined && root.endedAt !== null && !isTerminal(after.status)) {
      // Whoever comes back from its end goes on living.
      spans[0] = { ...root, ...GOING_ON };
      open.add(0);
    }
    for (const span of begun({ before, after, event, previous })) open.add(spans.push(span) - 1);
    task = after;
  }

  return { follow, spans, task: () => task };
}

function ended(span: Span, after: ReplayedTask, { at, type, reason }: LifeEvent): Span {
  const outcome = type === 'task.delegated' ? 'delegated' : after.status;
  return { ...span, endedAt: at, outcome, reason: span.kind === 'wait' ? span.reason : reason };
}

function isOver(
  span: Span,
  before: ReplayedTask | undefined,
  after: ReplayedTask,
  event: LifeEvent,
): boolean {
  if (span.endedAt !== null) return false;
  if (isTerminal(after.status)) return true;
  switch (span.kind) {
    case 'wait':
      return waitOf(before) !== waitOf(after);
    case 'attempt':
    case 'work':
      return holdOf(before) !== holdOf(after);
    case 'delegation':
      return (
        after.status === 'in_progress' ||
        event.type === 'task.delegated' ||
        span.agent !== (after.assignedTo ?? after.pinnedTo)
      );
    default:
      return false;
  }
}

type Step = {
  readonly before: ReplayedTask | undefined;
  readonly after: ReplayedTask;
  readonly event: LifeEvent;
  /** The attempt before, or that of now. */
  readonly previous: Span | undefined;
};

function begun({ before, after, event, previous }: Step): readonly Span[] {
  const { version, at, type, reason } = event;
  const { attempt, assignedTo: agent, status } = after;
  const span = (kind: Span['kind'], more: Partial<Span> = {}): Span => ({
    id: `${kind}-${version}`,
    parentId: ROOT,
    kind,
    name: kind,
    startedAt: at,
    ...GOING_ON,
    attempt,
    agent: null,
    links: [],
    ...more,
  });
  const isHandedOn = type === 'task.delegated';
  const isNewAttempt = isHeld(status) && holdOf(before) !== holdOf(after);
  const isNewWait = waitOf(after) !== undefined && waitOf(before) !== waitOf(after);
  const isBegun = status === 'in_progress' && (isNewAttempt || before?.status !== status);
  const links = linksTo(previous, isHandedOn);
  const holding = isNewAttempt ? `attempt-${version}` : previous?.id;
  return [
    ...(before === undefined ? [span('task', { id: ROOT, parentId: null })] : []),
    ...(isHandedOn
      ? [span('delegation', { name: `from ${before?.assignedTo}`, agent: agent ?? after.pinnedTo })]
      : []),
    ...(isNewWait ? [span('wait', { name: status, reason })] : []),
    ...(isNewAttempt ? [span('attempt', { name: `attempt ${attempt}`, agent, links })] : []),
    ...(isBegun ? [span('work', { agent, parentId: holding ?? ROOT })] : []),
  ];
}

/** What tells one wait from another; undefined when the task does not wait. */
function waitOf(task: ReplayedTask | undefined): string | undefined {
  if (task === undefined || isHeld(task.status) || isTerminal(task.status)) return undefined;
  return `${task.status} ${task.statusReason} ${task.attempt} ${task.pinnedTo}`;
}

/** What tells one attempt from another; undefined when nobody has the task. */
function holdOf(task: ReplayedTask | undefined): string | undefined {
  return task !== undefined && isHeld(task.status) ? `${task.attempt} ${task.assignedTo}` : undefined;
}

function linksTo(previous: Span | undefined, isHandedOn: boolean): Span['links'] {
  if (previous === undefined) return [];
  const isFromDelegation = isHandedOn || previous.outcome === 'delegated';
  return [{ spanId: previous.id, relation: isFromDelegation ? 'delegatedFrom' : 'retries' }];
}
