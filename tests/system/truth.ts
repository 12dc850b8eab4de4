import { setTimeout as delay } from 'node:timers/promises';
import type { AgentHost } from './agents.js';
import { checkCapacity, checkExpiries, checkRuns } from './truth/fleet.js';
import { compareWithRow, replay, type Hold } from './truth/history.js';
import * as read from './truth/read.js';
import { checkChildren, checkDependencies, endsOf } from './truth/relations.js';

export type TruthOptions = {
  /** Tasks somebody was told were accepted. */
  readonly acknowledged: readonly string[];
  /** The agents whose lives are known; of others, none may have been expired. */
  readonly agents?: readonly Pick<AgentHost, 'ids' | 'lives' | 'runs'>[];
  /** How long the last tasks may take to end, and then their events to be published. Default: 60,000 ms. */
  readonly settleMs?: number;
};

/** What happened, for tests to require that what they did to the system had an effect. */
export type Truth = {
  readonly tasks: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Assignments after a task's first. */
  readonly reassignments: number;
  /** Holders lost while they worked on a task. */
  readonly lost: number;
  /** Starts of a task that was started before. */
  readonly restarts: number;
  /** Words of agents about tasks they did not hold any more: all were refused. */
  readonly refused: number;
  /** Agents found silent. */
  readonly expiries: number;
};

const SHOWN = 20;

/**
 * Waits until every task has ended and every event is published, then holds the whole database against what Baton
 * promises, by rules of its own that share no code with the services. Rejects with everything that is wrong, or with
 * what is stuck.
 */
export async function expectTruth(
  { query }: { readonly query: read.Query },
  { acknowledged, agents = [], settleMs = 60_000 }: TruthOptions,
): Promise<Truth> {
  await untilNone(
    () => read.countUnfinished(query),
    settleMs,
    async () => {
      return `tasks have not ended:\n${await read.describeUnfinished(query)}`;
    },
  );
  await untilNone(
    () => read.countUnpublished(query),
    settleMs,
    () => 'rows are left in the outbox',
  );

  const tasks = await read.readTasks(query);
  const expiries = await read.readExpiries(query);
  const holds: Hold[] = [];
  const problems = acknowledged
    .filter((id) => !tasks.has(id))
    .map((id) => `task ${id} was acknowledged and is not there`);
  for (const task of tasks.values()) {
    const checked = checkTask(task, tasks);
    holds.push(...checked.holds);
    problems.push(...checked.problems.map((problem) => `task ${task.id}: ${problem}`));
  }
  const completions = [...tasks.values()].filter(({ status }) => status === 'completed').map(toCompletion);
  const runs = (await Promise.all(agents.map((host) => host.runs()))).flat();
  const orphaned = await read.countOrphanedEvents(query);
  problems.push(
    ...(orphaned > 0 ? [`${orphaned} events are of tasks that are not there`] : []),
    ...checkChildren(tasks),
    ...checkCapacity(holds, await read.readCapacity(query)),
    ...(await read.readAlarms(query)),
    ...checkExpiries(expiries, agents),
    ...checkRuns(runs, completions, agents),
  );
  if (problems.length > 0) throw new Error(report(problems));
  return {
    ...countsOf([...tasks.values()]),
    refused: await read.countRefused(query),
    expiries: expiries.length,
  };
}

const CAPACITY_ALARM = `
  CREATE FUNCTION alarm_over_capacity() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO audit_log (id, at, actor, action, subject, code, detail)
    SELECT gen_random_uuid(), clock_timestamp(), 'test', 'over_capacity', a.id, NULL,
      json_build_object('agent', a.id, 'held', count(t.id), 'room', a.max_concurrent + a.prefetch)
    FROM agents a JOIN tasks t ON t.assigned_to = a.id AND t.status IN ('assigned','in_progress')
    WHERE a.id IN (SELECT assigned_to FROM touched)
    GROUP BY a.id HAVING count(t.id) > a.max_concurrent + a.prefetch;
    RETURN NULL;
  END $$;
  CREATE TRIGGER alarm_over_capacity AFTER UPDATE ON tasks REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION alarm_over_capacity();`;

/** Has the database itself record every statement that leaves an agent with more than it may hold. */
export async function installCapacityAlarm({ query }: { readonly query: read.Query }): Promise<void> {
  await query(CAPACITY_ALARM);
}

function checkTask(
  task: read.StoredTask,
  tasks: ReadonlyMap<string, read.StoredTask>,
): { readonly holds: readonly Hold[]; readonly problems: readonly string[] } {
  const replayed = replay(task.events);
  const dependencies = task.dependsOn.map((edge) => ({
    ...edge,
    ends: endsOf(tasks.get(edge.id)?.events ?? []),
  }));
  const missing = task.dependsOn.filter(({ id }) => !tasks.has(id));
  return {
    holds: replayed.holds,
    problems: [
      ...replayed.problems,
      ...compareWithRow(replayed, task.fields),
      ...checkHashes(task),
      ...missing.map(({ id }) => `it depends on task ${id}, which is not there`),
      ...checkDependencies(task.events, dependencies),
    ],
  };
}

/** The payload is not in the history; its hashes are. */
function checkHashes({ events, hashes, status }: read.StoredTask): readonly string[] {
  const told = Object.assign({ result: null }, ...events.map((event) => event.hashes)) as read.Hashes;
  const names = ['input', 'context', 'result'] as const;
  return [
    ...names
      .filter((name) => told[name] !== hashes[name])
      .map((name) => `its ${name} is not the one its history knows`),
    ...((status === 'completed') === (hashes.result !== null)
      ? []
      : ['it has a result without having completed']),
  ];
}

function toCompletion({ id, fields }: read.StoredTask) {
  return { taskId: id, agentId: String(fields['lastAgentId']), attempt: Number(fields['attempt']) };
}

function countsOf(tasks: readonly read.StoredTask[]) {
  const inStatus = (status: string) => tasks.filter((task) => task.status === status).length;
  const again = (type: string) =>
    tasks.reduce(
      (sum, { events }) => sum + Math.max(0, events.filter((event) => event.type === type).length - 1),
      0,
    );
  return {
    tasks: tasks.length,
    completed: inStatus('completed'),
    failed: inStatus('failed'),
    cancelled: inStatus('cancelled'),
    reassignments: again('task.assigned'),
    lost: tasks.reduce((sum, { fields }) => sum + Number(fields['lostCount']), 0),
    restarts: again('task.started'),
  };
}

async function untilNone(
  count: () => Promise<number>,
  timeoutMs: number,
  describe: () => string | Promise<string>,
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  for (let left = await count(); left > 0; left = await count()) {
    if (performance.now() > giveUpAt) {
      throw new Error(`After ${timeoutMs / 1000} s ${left} ${await describe()}`);
    }
    await delay(100);
  }
}

function report(problems: readonly string[]): string {
  const rest = problems.length - SHOWN;
  const lines = [...problems.slice(0, SHOWN), ...(rest > 0 ? [`and ${rest} more`] : [])];
  return `Expected the database to hold what was promised, but found ${problems.length} problems:\n- ${lines.join('\n- ')}`;
}
