import type { Fleet, FleetAgent } from '../fleet/fleet.state.js';
import { leaseOf } from '../shards/ownership.fold.js';

/** When agents were last heard, and whether this process could have heard them. Times are in ms of one clock. */
export type Presence = {
  /** The latest beat of the live epoch of each agent. */
  readonly heard: Map<string, { readonly epoch: number; readonly at: number }>;
  /** Silence before this moment counts for nothing. */
  graceStart: number;
  sweptAt: number;
  /** Own beats sent and not back, oldest first. */
  readonly outstanding: number[];
  /**
   * When the latest own beat that came back was sent: what reached the broker before it has been heard, so it is
   * only up to here that silence is known.
   */
  heardUpTo: number;
};

export type Silence = { readonly agentId: string; readonly epoch: number; readonly silentMs: number };

/** How often this process sends its own beat, and how long that may take to come back. */
export const OWN_BEAT_MS = 1_000;
const OWN_BEAT_LIMIT_MS = 1_500;
/** A process that did not sweep for longer than this may have slept through beats. */
const STALL_MS = 1_000;

const NEVER = Number.NEGATIVE_INFINITY;

// Enough to tell a late beat from a lost one; while none comes back there is nothing to learn from more.
const OUTSTANDING_KEPT = 16;

/** A process that starts now: every agent gets a full expiry time. */
export function createPresence(now: number): Presence {
  return { heard: new Map(), graceStart: now, sweptAt: now, outstanding: [], heardUpTo: NEVER };
}

/** The connection is new: what was said while there was none is unknown. */
export function startOver(presence: Presence, now: number): void {
  presence.graceStart = now;
  presence.heardUpTo = NEVER;
  presence.outstanding.length = 0;
}

/** An own beat goes out. */
export function beatSent(presence: Presence, now: number): void {
  if (presence.outstanding.length < OUTSTANDING_KEPT) presence.outstanding.push(now);
}

/** The own beat sent at `sentAt` came back, and with it every earlier one that ever will. */
export function beatReturned(presence: Presence, sentAt: number, now: number): void {
  const back = presence.outstanding.filter((sent) => sent <= sentAt);
  presence.outstanding.splice(0, back.length);
  // Beats of agents may be just as late, or lost for as long: they get their full time from here.
  if (now - sentAt > OWN_BEAT_LIMIT_MS || back.some((sent) => now - sent > OWN_BEAT_LIMIT_MS)) {
    presence.graceStart = now;
  }
  presence.heardUpTo = Math.max(presence.heardUpTo, sentAt);
}

/** An agent said that it lives. */
export function agentHeard(presence: Presence, agent: FleetAgent, at: number): void {
  const known = presence.heard.get(agent.id);
  if (known?.epoch !== agent.epoch || known.at < at) {
    presence.heard.set(agent.id, { epoch: agent.epoch, at });
  }
}

/** To be called before every sweep: a process that stalled gives everybody a full expiry time. */
export function noteSweep(presence: Presence, now: number): void {
  if (now - presence.sweptAt > STALL_MS) presence.graceStart = now;
  presence.sweptAt = now;
}

/**
 * The agents of this process that should be alive and were not heard for their expiry time, all of which it could
 * hear. An agent never heard is judged from when its epoch became known, and one taken over from when it was.
 */
export function silentAgents(fleet: Fleet, presence: Presence, now: number): readonly Silence[] {
  return canHear(presence, now) ? silentUpTo(fleet, presence, presence.heardUpTo) : [];
}

/** Whether an own beat is wanted before its time, to know whether agents that seem silent are. */
export function isBeatWanted(fleet: Fleet, presence: Presence, now: number): boolean {
  if (presence.outstanding.length > 0) return false;
  return silentUpTo(fleet, presence, now).length > silentUpTo(fleet, presence, presence.heardUpTo).length;
}

/** Drops what was heard from agents that are gone. */
export function forgetGone(fleet: Fleet, presence: Presence): void {
  for (const agentId of presence.heard.keys()) {
    if (!fleet.agents.has(agentId)) presence.heard.delete(agentId);
  }
}

function silentUpTo(fleet: Fleet, presence: Presence, time: number): readonly Silence[] {
  const silent: Silence[] = [];
  for (const agent of fleet.agents.values()) {
    const lease = leaseOf(fleet, agent);
    if (agent.status === 'offline' || lease === undefined) continue;
    const silentMs = time - Math.max(lastSign(presence, agent), presence.graceStart, lease.since);
    if (silentMs > agent.expireMs) silent.push({ agentId: agent.id, epoch: agent.epoch, silentMs });
  }
  return silent;
}

function lastSign(presence: Presence, agent: FleetAgent): number {
  const heard = presence.heard.get(agent.id);
  return heard?.epoch === agent.epoch ? heard.at : agent.epochSince;
}

function canHear(presence: Presence, now: number): boolean {
  const oldest = presence.outstanding[0];
  return oldest === undefined || now - oldest <= OWN_BEAT_LIMIT_MS;
}
