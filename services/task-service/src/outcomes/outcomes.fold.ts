import { ALL_OF_TYPE, OUTCOME_FORGETTING, type LearnedOutcome, type TaskEvent } from '@baton/contracts';

/** What so many events add to what was learned of an agent, once that has faded for each of them. */
export type Lesson = LearnedOutcome & { readonly agentId: string; readonly events: number };

type Outcome = {
  readonly agentId: string;
  readonly type: string;
  readonly succeeded: boolean;
  readonly capabilities: readonly string[];
  /** The natural logarithm of how long it was worked on; null when it failed, which says nothing of that. */
  readonly duration: number | null;
};

/** Whether an event tells how well an agent works. */
export function isOutcome(event: TaskEvent): boolean {
  return outcomeOf(event) !== undefined;
}

/**
 * What events, oldest first, teach of agents: one lesson for each agent, type and capability, in that order, so that two
 * writers never wait in a cycle. O(events × capabilities of each).
 */
export function lessonsOf(events: readonly TaskEvent[]): readonly Lesson[] {
  const lessons = new Map<string, Lesson>();
  for (const event of events) {
    const outcome = outcomeOf(event);
    if (outcome === undefined) continue;
    learn(lessons, outcome, ALL_OF_TYPE, 1);
    // Which of several capabilities it was up to is not known: each has a share in it.
    for (const name of outcome.capabilities) learn(lessons, outcome, name, 1 / outcome.capabilities.length);
  }
  return [...lessons].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, lesson]) => lesson);
}

// Decided by the agent itself, or by the time it took: what was lost, handed back, never begun, called off or stopped for
// its budget says nothing of how well it works.
const FAILINGS: ReadonlySet<string | null> = new Set(['retry', 'retries_exhausted', 'not_retryable']);
// A duration of nothing has no logarithm.
const SHORTEST_SECONDS = 0.001;

function outcomeOf({ type, data }: TaskEvent): Outcome | undefined {
  const { left } = data;
  if (left === undefined) return undefined;
  const succeeded = type === 'task.completed';
  const hasFailed = (type === 'task.failed' || type === 'task.queued') && FAILINGS.has(data.reason);
  if (!succeeded && !hasFailed) return undefined;
  const { agent: agentId, capabilities = [], startedAt } = left;
  const ended = data.completedAt;
  const isTimed = succeeded && startedAt !== null && ended !== null;
  const seconds = isTimed ? (Date.parse(ended) - Date.parse(startedAt)) / 1_000 : null;
  const duration = seconds === null ? null : Math.log(Math.max(SHORTEST_SECONDS, seconds));
  return { agentId, type: data.type, succeeded, capabilities, duration };
}

function learn(lessons: Map<string, Lesson>, outcome: Outcome, capability: string, share: number): void {
  const { agentId, type, succeeded, duration } = outcome;
  const name = `${agentId}\n${type}\n${capability}`;
  const before = lessons.get(name);
  const count = duration === null ? 0 : 1;
  const value = duration ?? 0;
  const { durations } = before ?? NOTHING;
  lessons.set(name, {
    agentId,
    type,
    capability,
    events: (before?.events ?? 0) + 1,
    succeeded: OUTCOME_FORGETTING * (before?.succeeded ?? 0) + (succeeded ? share : 0),
    failed: OUTCOME_FORGETTING * (before?.failed ?? 0) + (succeeded ? 0 : share),
    durations: {
      count: OUTCOME_FORGETTING * durations.count + count,
      sum: OUTCOME_FORGETTING * durations.sum + value,
      squares: OUTCOME_FORGETTING * durations.squares + value * value,
    },
  });
}

const NOTHING = { durations: { count: 0, sum: 0, squares: 0 } };
