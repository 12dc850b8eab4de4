import type { Fleet, FleetAgent } from '../fleet/fleet.state.js';

/** When agents were last heard, and whether this process could have heard them. Times are in ms of one clock. */
export type Presence = {
  /** The latest beat of the live epoch of each agent. */
  readonly heard: Map<string, { readonly epoch: number; readonly at: number }>;
  /** Silence before this moment counts for nothing. */
  graceStart: number;
  sweptAt: number;
  /** Own beats sent and not back, oldest first. */
  readonly outstanding: number[];
  /** Whether an own beat came back since the connection stands. */
  echoed: boolean;
};

export type Silence = { readonly agentId: string; readonly epoch: number; readonly silentMs: number };

/** How often this process sends its own beat, and how long that may take to come back. */
export const OWN_BEAT_MS = 1_000;
const OWN_BEAT_LIMIT_MS = 1_500;
/** A process that did not sweep for longer than this may have slept through beats. */
const STALL_MS = 1_000;

// Enough to tell a late beat from a lost one; while none comes back there is nothing to learn from more.
const OUTSTANDING_KEPT = 16;

/** A process that starts now: every agent gets a full expiry time. */
export function createPresence(now: number): Presence {
  return { heard: new Map(), graceStart: now, sweptAt: now, outstanding: [], echoed: false };
}

/** The connection is new: what was said while there was none is unknown. */
export function startOver(presence: Presence, now: number): void {
  presence.graceStart = now;
  presence.echoed = false;
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
  presence.echoed = true;
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
 * The agents that should be alive and were not heard for their expiry time, all of which this process could
 * hear. An agent never heard is judged from when its epoch became known.
 */
export function silentAgents(fleet: Fleet, presence: Presence, now: number): readonly Silence[] {
  if (!canHear(presence, now)) return [];
  const silent: Silence[] = [];
  for (const agent of fleet.agents.values()) {
    if (agent.status === 'offline') continue;
    const silentMs = now - Math.max(lastSign(presence, agent), presence.graceStart);
    if (silentMs > agent.expireMs) silent.push({ agentId: agent.id, epoch: agent.epoch, silentMs });
  }
  return silent;
}

/** Drops what was heard from agents that are gone. */
export function forgetGone(fleet: Fleet, presence: Presence): void {
  for (const agentId of presence.heard.keys()) {
    if (!fleet.agents.has(agentId)) presence.heard.delete(agentId);
  }
}

function lastSign(presence: Presence, agent: FleetAgent): number {
  const heard = presence.heard.get(agent.id);
  return heard?.epoch === agent.epoch ? heard.at : agent.epochSince;
}

function canHear(presence: Presence, now: number): boolean {
  const oldest = presence.outstanding[0];
  return presence.echoed && (oldest === undefined || now - oldest <= OWN_BEAT_LIMIT_MS);
}
