import type { PolicyKind, QueuedTask } from '@baton/contracts';
import {
  addWaiting,
  applyExpiry,
  applyHint,
  chooseNeighbour,
  decideTask,
  discover,
  freeSlots,
  hold,
  isTakingTurns,
  knownVersion,
  learnOutcome,
  learnPrices,
  leaseOf,
  release,
  reserve,
  unreserve,
  type Rounds,
  type Tried,
} from '@baton/distribution-service/engine';
import { entryOf } from '../engine/fleet.js';
import { createBacklog } from './backlog.js';
import type { Dispatcher, Floor } from './floor.js';
import { TASK_SECONDS } from './push.js';
import { toQueued } from './queued.js';
import { createReplica, readBacklog, type Replica } from './replica.js';
import type { SimTask } from './world.js';

export type DistributorsOptions = {
  readonly policy: PolicyKind;
  readonly replicas: number;
  /** How long a commit takes, and after it until others hear of it. */
  readonly commitMs: number;
  readonly staleMs: number;
  readonly isLearning: boolean;
};

/** What happened between distributors and the database. */
export type Traffic = { assignments: number; conflicts: number };

const DISCOVER_MS = 1_000;
const NEIGHBOURS = 2;
/** After which an agent that crashed is given up. */
const EXPIRE_MS = 6_000;
const MEAN_MS = TASK_SECONDS * 1_000;

/**
 * The distribution as it runs: one or more distributors, each with the engine's own fleet, index, waiting classes, turns
 * and neighbours, and a database between them that alone assigns.
 */
export function createDistributors(
  floor: Floor,
  options: DistributorsOptions,
): Dispatcher & {
  readonly traffic: Traffic;
  learnLevels(levelsOf: (agent: number) => ReadonlyMap<string, number>): void;
} {
  const { world, clock } = floor;
  const backlog = createBacklog();
  const traffic: Traffic = { assignments: 0, conflicts: 0 };
  const rounds: Rounds = new WeakMap();
  const versions = new Map<string, number>();
  const simTasks = new Map<string, SimTask>();
  const numbers = new Map(world.agents.map(({ id }, index) => [id, index]));
  const epochs = world.agents.map(() => 1);
  /** What was assigned to agents that are gone, which nobody knows yet. */
  const limbo = world.agents.map((): SimTask[] => []);
  const isGivenUp = world.agents.map(() => false);
  const entries = world.agents.map((_, agent) => entryFor(agent));
  const replicas = Array.from({ length: options.replicas }, (_, index) =>
    createReplica(index, options, entries),
  );
  clock.at(0, tick);

  return {
    traffic,
    arrive(task) {
      simTasks.set(task.id, task);
      queue(task, 1);
    },
    ended(task, agent, succeeded) {
      const { id = '' } = world.agents[agent] ?? {};
      const version = nextVersion(task.id);
      hear(({ view: { fleet } }) => {
        release(fleet, { agentId: id, taskId: task.id, version });
        const known = fleet.agents.get(id);
        if (!options.isLearning || known === undefined) return;
        learnOutcome(fleet, known, { type: 'task', capabilities: task.kind.skills, succeeded });
      });
    },
    died(agent, lost) {
      const { id = '' } = world.agents[agent] ?? {};
      later(EXPIRE_MS, () => {
        isGivenUp[agent] = true;
        for (const { view } of replicas) applyExpiry(view.fleet, id, epochs[agent] ?? 1);
        for (const task of [...lost, ...(limbo[agent]?.splice(0) ?? [])]) {
          const version = nextVersion(task.id);
          for (const { view } of replicas) release(view.fleet, { agentId: id, taskId: task.id, version });
          queue(task, version);
        }
      });
    },
    back(agent) {
      epochs[agent] = (epochs[agent] ?? 1) + 1;
      isGivenUp[agent] = false;
      hear(({ view }) => applyHint(view.fleet, entryFor(agent), nowMs()));
    },
    learnLevels(levelsOf) {
      for (const [agent] of world.agents.entries()) {
        for (const { view } of replicas) applyHint(view.fleet, entryFor(agent, levelsOf(agent)), nowMs());
      }
    },
  };

  function entryFor(agent: number, levels = world.agents[agent]?.levels ?? new Map<string, number>()) {
    const { id = '', slots = 1 } = world.agents[agent] ?? {};
    const capabilities = [...levels].map(([name, level]) => ({ name, level }));
    return { ...entryOf(id, capabilities, slots), epoch: epochs[agent] ?? 1 };
  }

  function queue(task: SimTask, version: number): void {
    versions.set(task.id, version);
    const queued = toQueued(task, version);
    backlog.add(queued);
    arrived(replicas[floor.random.below(replicas.length)] as Replica, queued);
  }

  function arrived(replica: Replica, task: QueuedTask): void {
    const { view, waiting } = replica;
    if (view.index.policy.isPriced)
      learnPrices(view.index, rounds, task, { work: 1, now: nowMs(), meanMs: MEAN_MS });
    const tried = tryInTurn(replica, task);
    if (tried === 'placed' || tried === 'known') return;
    if (tried === 'in_turn' && freeSlots(view, task) > 0) return wake(replica);
    passOn(replica, task, new Map(), 0);
    addWaiting(waiting, task, view.fleet, nowMs());
    wake(replica);
  }

  function tryInTurn(replica: Replica, task: QueuedTask): Tried | 'in_turn' {
    const { view, waiting } = replica;
    if (!isTakingTurns(waiting, task.needs.backlogClass)) return attempt(replica, task);
    addWaiting(waiting, task, view.fleet, nowMs());
    return 'in_turn';
  }

  /** Asks the neighbour with the best agent, then a second one. */
  function passOn(
    replica: Replica,
    task: QueuedTask,
    neighbours: Map<string, readonly string[]>,
    round: number,
  ): void {
    if (round === NEIGHBOURS) return;
    const choice = chooseNeighbour(replica.view, task, { tasks: new Map(), neighbours }, nowMs());
    const neighbour = replicas.find(
      ({ view }) => choice !== undefined && leaseOf(view.fleet, choice.agent) !== undefined,
    );
    if (neighbour === undefined) return;
    later(1, () => {
      const tried = tryInTurn(neighbour, task);
      wake(neighbour);
      if (tried !== 'placed' && tried !== 'known') passOn(replica, task, neighbours, round + 1);
    });
  }

  function attempt(replica: Replica, task: QueuedTask): Tried {
    const { view, proposed } = replica;
    if (proposed.has(task.id) || knownVersion(view.fleet, task.id) > task.version) return 'known';
    const agent = decideTask(view, task, nowMs())?.agent;
    if (agent === undefined) return freeSlots(view, task) > 0 ? 'passed_over' : 'no_room';
    reserve(view.fleet, agent, task.id);
    proposed.add(task.id);
    later(options.commitMs, () => assign(replica, task, agent.id));
    return 'placed';
  }

  /** What the database makes of a proposal: whether the task still waits and the agent has room, under lock. */
  function assign(replica: Replica, task: QueuedTask, agentId: string): void {
    const { view, proposed, waiting } = replica;
    const agent = numbers.get(agentId) ?? 0;
    proposed.delete(task.id);
    const isWaiting = versions.get(task.id) === task.version && backlog.has(task);
    const load = floor.load(agent) + (limbo[agent]?.length ?? 0);
    if (!isWaiting || isGivenUp[agent] === true || load >= (world.agents[agent]?.slots ?? 0)) {
      traffic.conflicts += 1;
      unreserve(view.fleet, agentId, task.id);
      if (isWaiting) addWaiting(waiting, task, view.fleet, nowMs());
      return wake(replica);
    }
    traffic.assignments += 1;
    backlog.remove(task);
    const slot = { agentId, taskId: task.id, version: nextVersion(task.id) };
    hold(view.fleet, slot);
    unreserve(view.fleet, agentId, task.id);
    if (replicas.length > 1) hear((one) => hold(one.view.fleet, slot));
    const simTask = simTasks.get(task.id) as SimTask;
    if (floor.isUp(agent)) floor.start(simTask, agent);
    else limbo[agent]?.push(simTask);
  }

  function wake(replica: Replica): void {
    if (replica.isAwake || replica.waiting.size === 0) return;
    replica.isAwake = true;
    clock.at(clock.now(), () => {
      replica.isAwake = false;
      readBacklog(replica, backlog, nowMs(), (task) => attempt(replica, task));
    });
  }

  /** Distributors find classes of which they heard nothing. */
  function tick(): void {
    for (const replica of replicas) {
      for (const task of backlog.firsts()) {
        if (!replica.proposed.has(task.id)) discover(replica.waiting, task, replica.view.fleet, nowMs());
      }
      wake(replica);
    }
    later(DISCOVER_MS, tick);
  }

  /** Every distributor hears of it a little later. */
  function hear(change: (replica: Replica) => void): void {
    later(options.staleMs, () => {
      for (const replica of replicas) {
        change(replica);
        wake(replica);
      }
    });
  }

  function later(ms: number, run: () => void): void {
    clock.at(clock.now() + ms / MEAN_MS, run);
  }

  function nowMs(): number {
    return clock.now() * MEAN_MS;
  }

  function nextVersion(taskId: string): number {
    const version = (versions.get(taskId) ?? 0) + 1;
    versions.set(taskId, version);
    return version;
  }
}
