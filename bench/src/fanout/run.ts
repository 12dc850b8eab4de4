import { Interrupted, type Session } from '@baton/stack';
import pg from 'pg';
import { interruption } from '../interruption.js';
import { startSystem, type System } from '../lifecycle/system.js';
import { plainTask } from '../lifecycle/task.js';
import { within } from '../lifecycle/within.js';
import { getRequest, postRequest, startHttpLoad, type HttpLoad } from '../measure/http-load.js';
import { percentiles } from '../measure/percentiles.js';
import type { FanoutOptions } from './options.js';

/** Everything the benchmark found out; milliseconds. */
export type FanoutResult = {
  /** From the end of the task all wait for to the moment the last of them was ready, by the database's clock. */
  readonly unblockedMs: readonly number[];
  /** Answers of calls sent in that time. */
  readonly calls: {
    readonly count: number;
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
  };
};

type Context = {
  readonly options: FanoutOptions;
  readonly system: System;
  readonly db: pg.Client;
  readonly load: HttpLoad;
  readonly say: (line: string) => void;
};

const BATCH = 1_000;
const pollMs = 20;
// Beyond this a round is stuck, not slow.
const roundSeconds = 120;

/** Starts the system and runs the rounds; the session's end removes everything. Rejects when interrupted. */
export async function runFanout(
  options: FanoutOptions,
  session: Session,
  say: (line: string) => void,
): Promise<FanoutResult> {
  say('Starting a stack of its own, the services and an agent');
  const report = (line: string) => say(`  ${line}`);
  const system = await startSystem({ agents: 1, slots: 50, profile: undefined, session, report });
  const db = new pg.Client({ connectionString: system.postgresUrl });
  await db.connect();
  session.onEnd(() => db.end());
  const load = startHttpLoad(system.tasksUrl);
  session.onEnd(async () => load.close());
  try {
    const context = { options, system, db, load, say };
    return await Promise.race([measure(context), system.failure, interruption(session)]);
  } catch (error) {
    if (!(error instanceof Interrupted)) say(`\n${await system.lastLines()}\n`);
    throw error;
  }
}

async function measure(context: Context): Promise<FanoutResult> {
  const unblockedMs: number[] = [];
  const answerMs: number[] = [];
  for (let round = 1; round <= context.options.rounds; round++) {
    const explain = async () => `${await countBlocked(context)} tasks are blocked.`;
    const limit = { what: `Round ${round}`, seconds: roundSeconds, explain };
    const measured = await within(limit, measureRound(context));
    context.say(`Round ${round}: ${measured.unblockedMs.toFixed(0)} ms, ${measured.answerMs.length} calls`);
    unblockedMs.push(measured.unblockedMs);
    answerMs.push(...measured.answerMs);
  }
  const shares = percentiles(answerMs, { p50: 0.5, p99: 0.99, max: 1 });
  return { unblockedMs, calls: { count: answerMs.length, ...shares } };
}

async function measureRound(context: Context) {
  const { options, system, load } = context;
  const root = await post(context, '', { ...plainTask, hold: true });
  for (let left = options.dependents; left > 0; left -= BATCH) {
    // Nobody has the capability: they stay where the fan-out put them.
    const waiting = {
      ...plainTask,
      dependencies: [{ taskId: root.id }],
      requiredCapabilities: [{ name: 'nobody' }],
    };
    const tasks = Array.from({ length: Math.min(BATCH, left) }, () => waiting);
    await post(context, '/batch', { atomic: true, tasks });
  }
  await post(context, `/${root.id}/release`, {});
  const calls = startCalls(load, system.tasksUrl, root.id, options.rate);
  while ((await countBlocked(context)) > 0) await new Promise((resolve) => setTimeout(resolve, pollMs));
  const sent = await calls.stop();
  const { rows } = await context.db.query<{ from: number; to: number }>(
    `SELECT extract(epoch FROM r.completed_at)::float8 * 1000 AS "from",
        (SELECT max(extract(epoch FROM t.queued_at)) FROM task_dependencies d JOIN tasks t ON t.id = d.task_id
          WHERE d.depends_on = r.id)::float8 * 1000 AS "to"
      FROM tasks r WHERE r.id = $1`,
    [root.id],
  );
  const { from = Number.NaN, to = Number.NaN } = rows[0] ?? {};
  // One machine, one clock.
  const meanwhile = sent.filter(({ at }) => at >= from && at <= to);
  return { unblockedMs: to - from, answerMs: meanwhile.map(({ tookMs }) => tookMs) };
}

/** Sends creates and reads in turn, at a steady rate whatever their answers take. */
function startCalls(load: HttpLoad, tasksUrl: string, id: string, rate: number) {
  const requests = [postRequest(tasksUrl, plainTask), getRequest(`${tasksUrl}/${id}`)];
  const sent: Promise<{ readonly at: number; readonly tookMs: number }>[] = [];
  const startedAt = performance.now();
  const timer = setInterval(() => {
    while (sent.length < ((performance.now() - startedAt) / 1_000) * rate) {
      const request = requests[sent.length % requests.length];
      if (request === undefined) return;
      const answer = timed(load, request);
      // Told when the calls are stopped.
      answer.catch(() => undefined);
      sent.push(answer);
    }
  }, 5);
  return {
    stop() {
      clearInterval(timer);
      return Promise.all(sent);
    },
  };
}

async function timed(load: HttpLoad, request: Buffer) {
  const at = Date.now();
  const sentAt = performance.now();
  const { status, body } = await load.send(request);
  if (status >= 300) throw new Error(`expected a call to succeed, got ${status}: ${body}`);
  return { at, tookMs: performance.now() - sentAt };
}

async function post({ system, load }: Context, path: string, body: object): Promise<{ readonly id: string }> {
  const { status, body: text } = await load.send(postRequest(`${system.tasksUrl}${path}`, body));
  if (status >= 300) throw new Error(`expected POST ${path || '/'} to succeed, got ${status}: ${text}`);
  return JSON.parse(text) as { readonly id: string };
}

async function countBlocked({ db }: Context): Promise<number> {
  const { rows } = await db.query<{ blocked: number }>(
    `SELECT count(*)::int AS blocked FROM tasks WHERE status = 'blocked'`,
  );
  return rows[0]?.blocked ?? Number.NaN;
}
