import { DEFAULTS, type ForgottenRequest, type SnapshotAnswer } from '@baton/contracts';
import type { Fleet, FleetAgent } from '../fleet/fleet.state.js';
import { leaseOfId } from '../shards/ownership.fold.js';
import { isLive } from '../fleet/fleet.fold.js';

/** A task its agent holds that the latest beats left out. Times are in ms of one clock. */
type Absence = {
  /** When the last two beats without it came. */
  readonly lastAt: number;
  readonly previousAt: number;
  /** What a snapshot said of it: in progress at this version since then. */
  readonly running?: { readonly attempt: number; readonly version: number; readonly since: number };
};

type Absences = { readonly epoch: number; readonly tasks: ReadonlyMap<string, Absence> };

/**
 * What beats leave out, of the live epochs. A task that is merely assigned is in no beat either: what is left out
 * twice is therefore looked up in a snapshot before anything is said about it. Changed in place, as it takes
 * thousands of beats a second.
 */
export type Forgotten = {
  readonly agents: Map<string, Absences>;
  /** When a snapshot was last asked for, of agents for which that was lately. */
  readonly askedAt: Map<string, number>;
  sweptAt: number;
};

export type ForgottenTask = ForgottenRequest['items'][number];
type Held = SnapshotAnswer['agents'][number];

/** Agents with tasks that wait in their queue are asked about at most so often. */
const ASK_EVERY_MS = 10_000;
/** A process that did not sweep for longer than this may not know when what it hears was said. */
const STALL_MS = 3_000;

const NEVER = Number.NEGATIVE_INFINITY;
const NOTHING: ReadonlyMap<string, Absence> = new Map();

export function createForgotten(now: number): Forgotten {
  return { agents: new Map(), askedAt: new Map(), sweptAt: now };
}

/**
 * A beat of the agent's live epoch. Costs O(held + listed), nothing for an agent that holds nothing. Of what a
 * beat lists only the ids are looked at; one without a list says nothing.
 */
export function noteBeat(forgotten: Forgotten, agent: FleetAgent, running: unknown, at: number): void {
  if (!Array.isArray(running)) return;
  const absent = agent.held.size === 0 ? [] : leftOut(agent.held, running);
  if (absent.length === 0) {
    forgotten.agents.delete(agent.id);
    return;
  }
  const known = forgotten.agents.get(agent.id);
  const before = known?.epoch === agent.epoch ? known.tasks : NOTHING;
  const tasks = new Map(absent.map((taskId) => [taskId, absentAgain(before.get(taskId), at)]));
  forgotten.agents.set(agent.id, { epoch: agent.epoch, tasks });
}

/** To be called before every sweep: a process that stalled starts over. Drops agents that are gone or another's now. */
export function noteForgottenSweep(forgotten: Forgotten, fleet: Fleet, now: number): void {
  if (now - forgotten.sweptAt > STALL_MS) forgotten.agents.clear();
  forgotten.sweptAt = now;
  for (const [agentId, { epoch }] of forgotten.agents) {
    const isOurs = leaseOfId(fleet, agentId) !== undefined;
    if (!isOurs || !isLive(fleet, agentId, epoch)) forgotten.agents.delete(agentId);
  }
  for (const [agentId, at] of forgotten.askedAt) {
    if (now - at >= ASK_EVERY_MS) forgotten.askedAt.delete(agentId);
  }
}

/** Agents of whose absent tasks nobody knows whether they are in progress: each is named at most once in 10 s. */
export function takeAgentsToAsk(
  { agents, askedAt }: Forgotten,
  limit: number,
  now: number,
): readonly string[] {
  const wanted: string[] = [];
  for (const [agentId, { tasks }] of agents) {
    if (wanted.length === limit) break;
    if (askedAt.has(agentId)) continue;
    if ([...tasks.values()].some((task) => task.previousAt > NEVER && !task.running)) wanted.push(agentId);
  }
  for (const agentId of wanted) askedAt.set(agentId, now);
  return wanted;
}

/** What a snapshot that came at `now` says of the absent tasks of an agent. */
export function learnRunning({ agents }: Forgotten, { agentId, held }: Held, now: number): void {
  const known = agents.get(agentId);
  if (known === undefined) return;
  const tasks = new Map(known.tasks);
  for (const { taskId, attempt, version, runningMs } of held) {
    const absence = tasks.get(taskId);
    if (absence === undefined || runningMs === undefined) continue;
    // No later than this, as the answer took its time.
    const since = now - runningMs;
    tasks.set(taskId, { ...absence, running: { attempt, version, since } });
  }
  agents.set(agentId, { ...known, tasks });
}

/**
 * The tasks to report: in progress for longer than three beats, and the last two beats, both of which came when it
 * had been for one, left it out. What is told is forgotten: if it is still so, it comes up again.
 */
export function takeForgotten(forgotten: Forgotten, fleet: Fleet, now: number): readonly ForgottenTask[] {
  const found: ForgottenTask[] = [];
  for (const [agentId, { epoch, tasks }] of forgotten.agents) {
    const beatMs = fleet.agents.get(agentId)?.heartbeatMs ?? Infinity;
    const due = [...tasks].filter(([, absence]) => isForgotten(absence, beatMs, now));
    if (due.length === 0) continue;
    for (const [taskId, { running }] of due) {
      if (running) found.push({ agentId, epoch, taskId, attempt: running.attempt, version: running.version });
    }
    const rest = new Map(tasks);
    for (const [taskId] of due) rest.delete(taskId);
    forgotten.agents.set(agentId, { epoch, tasks: rest });
  }
  return found;
}

function isForgotten({ previousAt, running }: Absence, beatMs: number, now: number): boolean {
  if (running === undefined) return false;
  // A beat said before the start was sent may come after it was committed, though hardly a whole beat later.
  return previousAt > running.since + beatMs && now > running.since + DEFAULTS.forgottenAfterBeats * beatMs;
}

function absentAgain(before: Absence | undefined, at: number): Absence {
  return { ...before, lastAt: at, previousAt: before?.lastAt ?? NEVER };
}

function leftOut(held: ReadonlySet<string>, running: readonly unknown[]): readonly string[] {
  const listed = new Set<unknown>();
  for (const entry of running) listed.add((entry as { taskId?: unknown } | null)?.taskId);
  return [...held].filter((taskId) => !listed.has(taskId));
}
