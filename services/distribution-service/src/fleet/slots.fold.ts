import type { Fleet, FleetAgent } from './fleet.state.js';
import { touchSlots } from './journal.fold.js';

type Slot = { readonly agentId: string; readonly taskId: string; readonly version: number };

// Hints of one commit arrive within milliseconds of each other. At 3,000 lifecycles a second this is 16 s.
const RELEASES_REMEMBERED = 50_000;

/** What an agent has to do: tasks held and tasks about to be assigned. */
export function loadOf(agent: FleetAgent): number {
  return agent.held.size + agent.reserved.size;
}

/** How many more tasks an agent could be bound to now. */
export function roomOf(agent: FleetAgent): number {
  if (agent.status !== 'online' || agent.silent || agent.doubtedAt > 0) return 0;
  return Math.max(0, agent.maxConcurrent + agent.prefetch - loadOf(agent));
}

/** The latest version of a task seen to be held or released; 0 when nothing is known. */
export function knownVersion(fleet: Fleet, taskId: string): number {
  return fleet.holds.get(taskId)?.version ?? fleet.released.get(taskId)?.version ?? 0;
}

/**
 * A task began to be held. Hints come in any order: the highest version names the one holder, and where a
 * version both ends one hold and begins another, the beginning wins.
 */
export function hold(fleet: Fleet, slot: Slot): void {
  const agent = fleet.agents.get(slot.agentId);
  if (agent === undefined) return;
  const released = fleet.released.get(slot.taskId);
  if (released !== undefined) {
    if (released.version > slot.version) return;
    if (released.version === slot.version && released.agentId === slot.agentId) return;
  }
  const known = fleet.holds.get(slot.taskId);
  if (known !== undefined && known.version > slot.version) return;
  if (known?.version === slot.version && known.agentId === slot.agentId) return;
  if (known !== undefined && known.agentId !== slot.agentId) dropHold(fleet, slot.taskId);
  fleet.released.delete(slot.taskId);
  fleet.holds.set(slot.taskId, { agentId: slot.agentId, version: slot.version, learnedAt: ++fleet.step });
  const hadRoom = roomOf(agent) > 0;
  const load = loadOf(agent);
  agent.held.add(slot.taskId);
  agent.reserved.delete(slot.taskId);
  if (loadOf(agent) !== load) moved(fleet, agent);
  if (hadRoom && roomOf(agent) === 0) fleet.filled += 1;
}

/** A task ceased to be held by an agent. */
export function release(fleet: Fleet, slot: Slot): void {
  const known = fleet.holds.get(slot.taskId);
  if (known !== undefined && known.version > slot.version) return;
  if (known !== undefined && known.version === slot.version && known.agentId !== slot.agentId) return;
  if ((fleet.released.get(slot.taskId)?.version ?? 0) >= slot.version) return;
  fleet.step += 1;
  if (known !== undefined) dropHold(fleet, slot.taskId);
  fleet.released.delete(slot.taskId);
  fleet.released.set(slot.taskId, { agentId: slot.agentId, version: slot.version });
  if (fleet.released.size > RELEASES_REMEMBERED) {
    for (const oldest of fleet.released.keys()) {
      fleet.released.delete(oldest);
      break;
    }
  }
}

/** Forgets a hold without knowing what ended it. */
export function dropHold(fleet: Fleet, taskId: string): void {
  const known = fleet.holds.get(taskId);
  if (known === undefined) return;
  fleet.holds.delete(taskId);
  const agent = fleet.agents.get(known.agentId);
  if (agent !== undefined) free(fleet, agent, agent.held, taskId);
}

/** Sets a slot aside for an assignment that is being asked for. */
export function reserve(fleet: Fleet, agent: FleetAgent, taskId: string): void {
  agent.reserved.add(taskId);
  moved(fleet, agent);
  agent.assignedAt = agent.movedAt;
}

/** Gives back a slot set aside, unless a hint already told that the task is held. */
export function unreserve(fleet: Fleet, agentId: string, taskId: string): void {
  const agent = fleet.agents.get(agentId);
  if (agent !== undefined) free(fleet, agent, agent.reserved, taskId);
}

function free(fleet: Fleet, agent: FleetAgent, slots: Set<string>, taskId: string): void {
  const hadRoom = roomOf(agent) > 0;
  if (!slots.delete(taskId)) return;
  moved(fleet, agent);
  if (!hadRoom && roomOf(agent) > 0) fleet.freed += 1;
}

function moved(fleet: Fleet, agent: FleetAgent): void {
  touchSlots(fleet, agent);
  agent.movedAt = fleet.step;
}
