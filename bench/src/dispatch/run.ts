import { createAgent } from '@baton/agent';
import { agentSubject } from '@baton/contracts';
import { Interrupted, type Session } from '@baton/stack';
import { connect, credsAuthenticator } from '@nats-io/transport-node';
import pg from 'pg';
import { interruption } from '../interruption.js';
import { startSystem, type System } from '../lifecycle/system.js';
import { plainTask } from '../lifecycle/task.js';
import { within } from '../lifecycle/within.js';
import { postRequest, startHttpLoad } from '../measure/http-load.js';
import { percentiles } from '../measure/percentiles.js';

type Spread = { readonly p50: number; readonly p99: number; readonly max: number };

/** Everything the benchmark found out; milliseconds. */
export type DispatchResult = {
  /** From the moment a create was sent to the moment an observer heard the offer to the agent. */
  readonly offerMs: Spread;
  /** From the hello of an agent to the assignment of a task that waited for such one, by the database's clock. */
  readonly helloMs: Spread;
};

type Options = { readonly tasks: number; readonly hellos: number };
type Offer = { readonly assignments: readonly { readonly task: { readonly id: string } }[] };

const AGENT = 'bench-1';
const pollMs = 5;
// Beyond this something is stuck, not slow.
const limitSeconds = 120;

/** Starts the system with one idle agent and measures; the session's end removes everything. */
export async function runDispatch(
  options: Options,
  session: Session,
  say: (line: string) => void,
): Promise<DispatchResult> {
  say('Starting a stack of its own, the services and an agent');
  const report = (line: string) => say(`  ${line}`);
  const system = await startSystem({ agents: 1, slots: 5, profile: undefined, session, report });
  const db = new pg.Client({ connectionString: system.postgresUrl });
  await db.connect();
  session.onEnd(() => db.end());
  const explain = async () => 'An offer or an assignment did not come.';
  const limit = { what: 'The benchmark', seconds: limitSeconds, explain };
  try {
    const measured = within(limit, measure(options, { system, db, session }));
    return await Promise.race([measured, system.failure, interruption(session)]);
  } catch (error) {
    if (!(error instanceof Interrupted)) say(`\n${await system.lastLines()}\n`);
    throw error;
  }
}

type Context = { readonly system: System; readonly db: pg.Client; readonly session: Session };

async function measure({ tasks, hellos }: Options, context: Context): Promise<DispatchResult> {
  const create = creator(context);
  const offers = await measureOffers(tasks, context, create);
  const assignments: number[] = [];
  for (let round = 1; round <= hellos; round += 1)
    assignments.push(await measureHello(round, context, create));
  return { offerMs: spread(offers), helloMs: spread(assignments) };
}

type Create = (body: object) => Promise<string>;

function creator({ system, session }: Context): Create {
  const load = startHttpLoad(system.tasksUrl);
  session.onEnd(async () => load.close());
  return async (body) => {
    const { status, body: answer } = await load.send(postRequest(system.tasksUrl, body));
    if (status !== 201) throw new Error(`Expected 201 for a create, got ${status}: ${answer}`);
    return (JSON.parse(answer) as { readonly id: string }).id;
  };
}

/** Each task is offered before the next one is created: the system is idle but for it. */
async function measureOffers(
  count: number,
  { system, session }: Context,
  create: Create,
): Promise<readonly number[]> {
  const { url, access } = system.nats;
  const credentials = new TextEncoder().encode(await access.operator());
  const connection = await connect({ servers: url, authenticator: credsAuthenticator(credentials) });
  session.onEnd(() => connection.close());
  const heard = new Map<string, number>();
  connection.subscribe(agentSubject.offer(AGENT), {
    callback: (_, message) => {
      const at = performance.now();
      for (const { task } of message.json<Offer>().assignments)
        if (!heard.has(task.id)) heard.set(task.id, at);
    },
  });
  await connection.flush();
  const taken: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const sentAt = performance.now();
    const id = await create(plainTask);
    while (!heard.has(id)) await pause();
    taken.push((heard.get(id) ?? Number.NaN) - sentAt);
  }
  return taken;
}

async function measureHello(
  round: number,
  { system, db, session }: Context,
  create: Create,
): Promise<number> {
  const id = `newcomer-${round}`;
  const taskId = await create({ ...plainTask, requiredCapabilities: [{ name: id }] });
  const { url, access } = system.nats;
  const agent = createAgent({
    id,
    servers: url,
    credentials: () => access.agent(id),
    capabilities: [id],
    handler: () => undefined,
  });
  session.onEnd(() => agent.stop());
  await agent.start();
  for (;;) {
    const { rows } = await db.query<{ ms: number }>(
      `SELECT extract(epoch FROM e.created_at - f.last_seen_at)::float8 * 1000 AS ms FROM task_events e, agents f
        WHERE e.task_id = $1 AND e.event_type = 'task.assigned' AND f.id = $2`,
      [taskId, id],
    );
    if (rows[0] !== undefined) return rows[0].ms;
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pollMs));
}

function spread(values: readonly number[]): Spread {
  return percentiles(values, { p50: 0.5, p99: 0.99, max: 1 });
}
