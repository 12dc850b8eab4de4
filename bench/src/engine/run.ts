import { createView, decideTask, POLICIES, reserve, unreserve } from '@baton/distribution-service/engine';
import type { DecidedTask, FleetAgent, FleetView } from '@baton/distribution-service/engine';
import { percentiles } from '../measure/percentiles.js';
import { createRandom, type Random } from '../measure/random.js';
import { entryOf, fleetOwnedBy } from './fleet.js';

/** A fleet and how many capabilities each task asks for. */
export type EngineCase = { readonly agents: number; readonly skills: 1 | 2; readonly bar: number };
/** Decisions per second of CPU time; how long one in a hundred took at least, microseconds. */
export type EngineFigure = {
  readonly agents: number;
  readonly skills: number;
  readonly decisions_per_s: number;
  readonly p99_us: number;
};

const SKILLS = Array.from({ length: 20 }, (_, index) => `skill-${index}`);
const SKILLS_PER_AGENT = 4;
const SLOTS = 5;
const TAKEN = 0.7;

/**
 * Decides about tasks in a fleet that stays 70 % full: each decision chooses an agent, with the record, takes the slot
 * and lets a random earlier task end.
 */
export function runEngine({ agents, skills }: EngineCase, decisions: number): EngineFigure {
  const random = createRandom(agents + skills);
  const view = createView(
    fleetOwnedBy('bench', fleetEntries(agents, random), () => 'bench'),
    POLICIES.weighted,
  );
  const tasks = kindsOf(skills, random);
  const running: { readonly agentId: string; readonly taskId: string }[] = [];
  const names = Array.from({ length: Math.ceil(agents * SLOTS) + 1 }, (_, index) => `task-${index}`);
  while (running.length < agents * SLOTS * TAKEN) take(view, tasks, random, running, names.pop() as string);
  const once = () => {
    const place = random.below(running.length);
    const ended = running[place] as (typeof running)[number];
    running[place] = running.at(-1) as typeof ended;
    running.pop();
    unreserve(view.fleet, ended.agentId, ended.taskId);
    take(view, tasks, random, running, ended.taskId);
  };
  for (let index = 0; index < decisions / 2; index += 1) once();
  const before = process.cpuUsage();
  for (let index = 0; index < decisions; index += 1) once();
  const { user, system } = process.cpuUsage(before);
  const times = new Float64Array(Math.min(decisions, 100_000));
  for (let index = 0; index < times.length; index += 1) {
    const startedAt = performance.now();
    once();
    times[index] = (performance.now() - startedAt) * 1_000;
  }
  const { p99 } = percentiles(times, { p99: 0.99 });
  const perSecond = decisions / ((user + system) / 1_000_000);
  return { agents, skills, decisions_per_s: Math.round(perSecond), p99_us: Math.round(p99 * 10) / 10 };
}

function fleetEntries(count: number, random: Random) {
  return Array.from({ length: count }, (_, index) => {
    const capabilities = random
      .some(SKILLS, SKILLS_PER_AGENT)
      .map((name) => ({ name, level: Math.round(20 * random.next()) / 20 }));
    return entryOf(`agent-${index}`, capabilities, SLOTS);
  });
}

/** One task of each kind there is: every skill, or every pair. */
function kindsOf(skills: 1 | 2, random: Random): readonly DecidedTask[] {
  const pairs = SKILLS.flatMap((one, index) => SKILLS.slice(index + 1).map((other) => [one, other]));
  return (skills === 1 ? SKILLS.map((name) => [name]) : pairs).map((names) => ({
    id: names.join(),
    version: 1,
    type: 'task',
    priority: (random.below(5) + 1) as DecidedTask['priority'],
    needs: {
      backlogClass: names.join(),
      queueKey: 0,
      requiredCapabilities: names.map((name) => ({ name })),
      preferredCapabilities: [],
      criteria: {},
      skippedAgents: [],
      connectedFrom: null,
    },
  }));
}

/** Tries kinds until an agent has room for one. */
function take(
  view: FleetView,
  tasks: readonly DecidedTask[],
  random: Random,
  running: { readonly agentId: string; readonly taskId: string }[],
  taskId: string,
): void {
  for (;;) {
    const task = tasks[random.below(tasks.length)] as DecidedTask;
    const agent: FleetAgent | undefined = decideTask(view, task, 0)?.agent;
    if (agent === undefined) continue;
    reserve(view.fleet, agent, taskId);
    running.push({ agentId: agent.id, taskId });
    return;
  }
}
