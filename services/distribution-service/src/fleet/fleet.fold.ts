import type { FleetEntry, SnapshotAnswer } from '@baton/contracts';
import { applyOutcomes } from '../engine/outcomes.fold.js';
import { createAgent, type Fleet, type FleetAgent } from './fleet.state.js';
import { changeProfile, forget, touchSlots } from './journal.fold.js';
import { dropHold, hold } from './slots.fold.js';

/** Takes in `svc.fleet`: one agent changed. A hint about an earlier life of the agent is ignored. */
export function applyHint(fleet: Fleet, entry: FleetEntry, now: number): void {
  const known = fleet.agents.get(entry.agentId);
  if (known !== undefined && entry.epoch < known.epoch) return;
  learn(fleet, entry, now);
}

/**
 * Takes in agents of a snapshot asked for at step `askedAt`. Whatever was learned since then is newer and stays.
 * Returns the agents to be asked for again, as their entries changed meanwhile.
 */
export function applySnapshot(
  fleet: Fleet,
  agents: SnapshotAnswer['agents'],
  askedAt: number,
  now: number,
): readonly string[] {
  const overtaken: string[] = [];
  for (const entry of agents) {
    const known = fleet.agents.get(entry.agentId);
    if (known !== undefined && known.learnedAt > askedAt) overtaken.push(entry.agentId);
    else learn(fleet, entry, now);
    const agent = fleet.agents.get(entry.agentId);
    if (agent === undefined) continue;
    replaceHolds(fleet, agent, entry.held, askedAt);
    if (entry.outcomes !== undefined) applyOutcomes(fleet, agent, entry.outcomes);
    if (agent.doubtedAt <= askedAt) settleDoubt(fleet, agent);
  }
  return overtaken;
}

/** Removes agents a complete snapshot, asked for at step `askedAt`, did not have. */
export function removeMissing(fleet: Fleet, present: ReadonlySet<string>, askedAt: number): void {
  for (const agent of fleet.agents.values()) {
    if (present.has(agent.id) || agent.learnedAt > askedAt) continue;
    for (const taskId of agent.held) fleet.holds.delete(taskId);
    fleet.agents.delete(agent.id);
    forget(fleet, agent);
    fleet.generation += 1;
  }
}

/** The epoch of an agent was expired. */
export function applyExpiry(fleet: Fleet, agentId: string, epoch: number): void {
  const agent = fleet.agents.get(agentId);
  if (agent === undefined || agent.epoch !== epoch || agent.status === 'offline') return;
  changeProfile(fleet, agent, () => (agent.status = 'offline'));
  agent.fingerprint = '';
  agent.learnedAt = ++fleet.step;
  fleet.generation += 1;
}

/** Counts an agent as full until a snapshot asked for from now on says what it holds. */
export function doubt(fleet: Fleet, agentId: string): void {
  const agent = fleet.agents.get(agentId);
  if (agent === undefined) return;
  agent.doubtedAt = ++fleet.step;
  touchSlots(fleet, agent);
}

/** An agent was not heard for its expiry time: it gets nothing new. */
export function markSilent(fleet: Fleet, agentId: string): void {
  const agent = fleet.agents.get(agentId);
  if (agent !== undefined) changeProfile(fleet, agent, () => (agent.silent = true));
}

/** A silent agent was heard again. */
export function markHeard(fleet: Fleet, agent: FleetAgent): void {
  if (!agent.silent) return;
  changeProfile(fleet, agent, () => (agent.silent = false));
  fleet.freed += 1;
  fleet.generation += 1;
}

/** Whether this is the epoch of a process that may work now. */
export function isLive(fleet: Fleet, agentId: string, epoch: number): boolean {
  const agent = fleet.agents.get(agentId);
  return agent !== undefined && agent.status !== 'offline' && agent.epoch === epoch;
}

function learn(fleet: Fleet, entry: FleetEntry, now: number): void {
  const known = fleet.agents.get(entry.agentId);
  const fingerprint = fingerprintOf(entry);
  if (known !== undefined && known.fingerprint === fingerprint) return;
  const newLife =
    known === undefined ||
    known.epoch !== entry.epoch ||
    (known.status === 'offline' && entry.status !== 'offline');
  const agent: FleetAgent = known ?? createAgent(entry.agentId, fleet.numbered.length);
  changeProfile(fleet, agent, () => {
    agent.status = entry.status;
    agent.epoch = entry.epoch;
    agent.levels = new Map(entry.capabilities.map((capability) => [capability.name, capability.level]));
    agent.labels = entry.labels ?? {};
    agent.maxConcurrent = entry.maxConcurrent;
    agent.prefetch = entry.prefetch;
    agent.heartbeatMs = entry.heartbeatMs;
    agent.expireMs = entry.expireMs;
    agent.connections = entry.connections;
    agent.fingerprint = fingerprint;
    if (!newLife) return;
    agent.epochSince = now;
    agent.silent = false;
  });
  agent.learnedAt = fleet.step;
  fleet.agents.set(agent.id, agent);
  fleet.generation += 1;
}

// Most snapshots repeat what is known; telling so keeps the caches that hang on the generation.
function fingerprintOf(entry: FleetEntry): string {
  const { status, epoch, capabilities, maxConcurrent, prefetch, heartbeatMs, expireMs, connections, labels } =
    entry;
  const numbers = [epoch, maxConcurrent, prefetch, heartbeatMs, expireMs];
  return JSON.stringify([status, numbers, capabilities, connections, labels]);
}

function replaceHolds(
  fleet: Fleet,
  agent: FleetAgent,
  held: SnapshotAnswer['agents'][number]['held'],
  askedAt: number,
): void {
  const present = new Set(held.map((task) => task.taskId));
  for (const taskId of agent.held) {
    const known = fleet.holds.get(taskId);
    if (!present.has(taskId) && known !== undefined && known.learnedAt <= askedAt) dropHold(fleet, taskId);
  }
  for (const task of held) hold(fleet, { agentId: agent.id, taskId: task.taskId, version: task.version });
}

function settleDoubt(fleet: Fleet, agent: FleetAgent): void {
  if (agent.doubtedAt === 0) return;
  agent.doubtedAt = 0;
  touchSlots(fleet, agent);
  fleet.freed += 1;
}
