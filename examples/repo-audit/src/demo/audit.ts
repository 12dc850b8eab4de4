import { setTimeout as pause } from 'node:timers/promises';
import type { TaskView } from '@baton/contracts';
import { fleet } from '../fleet.js';
import { runField } from '../hold-back.js';
import { clip } from '../text.js';
import type { AgentProcesses } from './agents.js';
import { narrate } from './narrate.js';
import { failuresOf, isFinished, wasReassigned, type Outcome } from './outcome.js';
import { RestError, type Rest } from './rest.js';

export type AuditRequest = {
  /** Tells the tasks of this run of the demo from others. */
  readonly run: string;
  readonly repository: { readonly path: string; readonly name: string };
  readonly reportPath: string;
  readonly victim: string;
};

/** What an audit works with. */
export type AuditContext = {
  readonly rest: Rest;
  readonly agents: AgentProcesses;
  /** Aborted when the demo is interrupted or takes too long. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
};

const betweenLooksMs = 100;

/** The last epoch of each agent that Baton knows. */
export async function knownEpochs(rest: Rest): Promise<ReadonlyMap<string, number>> {
  return new Map((await rest.agents()).map((agent) => [agent.id, agent.epoch]));
}

/**
 * Waits until every agent is online in a later epoch than before it was started: after a demo that was killed, the
 * processes of that one count as online for a while.
 */
export async function untilOnline(
  { rest, signal }: Pick<AuditContext, 'rest' | 'signal'>,
  before: ReadonlyMap<string, number>,
): Promise<void> {
  const wanted = fleet.map((agent) => agent.id);
  await look(signal, async () => {
    const online = new Set(
      (await rest.agents())
        .filter((agent) => agent.status === 'online' && agent.epoch > (before.get(agent.id) ?? 0))
        .map((agent) => agent.id),
    );
    return wanted.every((id) => online.has(id)) ? true : undefined;
  });
}

/** Has a repository audited, kills the victim in the middle, and follows everything to its end. */
export async function runAudit(
  request: AuditRequest,
  context: AuditContext,
): Promise<Omit<Outcome, 'seconds'>> {
  const { rest, say } = context;
  const { id: rootTaskId } = await rest.createTask(rootTask(request), request.run);
  say(`created the task "Audit ${request.repository.name}" (${rootTaskId})`);
  const tasks = await follow(rootTaskId, request, context);
  const failures = failuresOf(tasks);
  if (failures !== undefined) throw new Error(failures);

  const reassigned: TaskView[] = [];
  for (const task of tasks.filter((one) => one.attempt > 1)) {
    if (wasReassigned(await rest.history(task.id), request.victim)) reassigned.push(task);
  }
  return { rootTaskId, report: request.reportPath, tasks, reassigned };
}

function rootTask({ run, repository, reportPath }: AuditRequest) {
  return {
    type: 'audit.plan',
    title: clip(`Audit ${repository.name}`),
    tags: ['audit'],
    metadata: { [runField]: run },
    requiredCapabilities: [{ name: 'audit.plan' }],
    input: { repo: repository.path, reportPath },
  };
}

async function follow(
  rootTaskId: string,
  request: AuditRequest,
  context: AuditContext,
): Promise<readonly TaskView[]> {
  const { rest, signal, say } = context;
  let before: readonly TaskView[] = [];
  let killed = false;
  const tasks = await look(
    signal,
    async () => {
      const now = await rest.listTree(rootTaskId);
      for (const line of narrate(before, now)) say(line);
      before = now;
      killed ||= await killAtWork(now, request, context);
      return isFinished(rootTaskId, now) ? now : undefined;
    },
    () => statesOf(before),
  );
  if (!killed && failuresOf(tasks) === undefined) {
    throw new Error(
      `No task of "code.metrics" reached ${request.victim}, so the demo could not kill it at work`,
    );
  }
  return tasks;
}

async function killAtWork(
  tasks: readonly TaskView[],
  { victim }: AuditRequest,
  { agents, say }: AuditContext,
): Promise<boolean> {
  const task = tasks.find((one) => one.status === 'in_progress' && one.assignedTo === victim);
  if (task === undefined) return false;
  say(`killing ${victim} (pid ${agents.byId.get(victim)?.pid}, SIGKILL) while it works on "${task.title}"`);
  await agents.kill(victim);
  say(`${victim} is dead; Baton gives its work to another agent after 6 s without a sign of life`);
  return true;
}

/** Asks again until there is an answer. A service that does not answer is asked again, too. */
async function look<T>(
  signal: AbortSignal,
  ask: () => Promise<T | undefined>,
  describe: () => string = () => '',
): Promise<T> {
  let problem: unknown;
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      if (error instanceof RestError && error.status < 500) throw error;
      problem = error;
      return undefined;
    });
    if (answer !== undefined) return answer;
    try {
      await pause(betweenLooksMs, undefined, { signal });
    } catch {
      const reason = signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
      const last = problem instanceof Error ? `The last problem was: ${problem.message}` : '';
      throw new Error([reason, describe(), last].filter((line) => line !== '').join('\n'));
    }
  }
}

function statesOf(tasks: readonly TaskView[]): string {
  const open = tasks.filter((task) => task.status !== 'completed');
  const lines = open.map((task) => {
    const who = task.assignedTo === null ? '' : ` by ${task.assignedTo}`;
    return `  ${task.title}: ${task.status}${who}${task.statusReason === null ? '' : ` (${task.statusReason})`}`;
  });
  return [`${tasks.length - open.length} of ${tasks.length} tasks are completed; the others:`, ...lines].join(
    '\n',
  );
}
