import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { hello, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';
import { DECISION } from './task.fixture.js';

const CLIENTS = 24;

let fixture: Fixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

/** What clients were told, until the service was gone. */
type Load = { readonly created: string[]; readonly refused: number[]; readonly done: Promise<void> };

/** Clients that create one task after the other, over connections they keep. */
function startClients(): Load {
  const created: string[] = [];
  const refused: number[] = [];
  const client = async (): Promise<void> => {
    for (;;) {
      const answer = await fixture.http('POST', '/v1/tasks', { title: 'x' }).catch(() => undefined);
      // Refused to connect, or cut off before the request was taken: the table tells whether it was.
      if (answer === undefined) return;
      if (answer.status === 201) created.push(answer.body.id);
      else refused.push(answer.status);
    }
  };
  return {
    created,
    refused,
    done: Promise.all(Array.from({ length: CLIENTS }, client)).then(() => undefined),
  };
}

/** An agent that rejects every second offer, works off the others, and creates tasks of its own whose ends it hears. */
async function startAgent(id: string): Promise<{ finished(): number }> {
  let finished = 0;
  const { epoch } = await hello(fixture, id, { maxConcurrent: 1_000 });
  const work = async (taskId: string, attempt: number): Promise<void> => {
    for (const name of ['start', 'complete'])
      await verb(fixture, id, name, { taskId, attempt, epoch, result: 1 });
    finished += 1;
  };
  fixture.connection.subscribe(`agent.${id}.offer`, {
    callback: (_, message) => {
      const { assignments } = message.json<Json>();
      const accepted = assignments.filter((_task: Json, index: number) => index % 2 === 0);
      const rejected = assignments.filter((_task: Json, index: number) => index % 2 === 1);
      const answer = {
        accepted: accepted.map(({ task }: Json) => task.id),
        rejected: rejected.map(({ task }: Json) => ({ taskId: task.id, code: 'AT_CAPACITY' })),
      };
      // So late that offers are unanswered when the edges are closed.
      setTimeout(() => message.respond(JSON.stringify(answer)), 1_500);
      for (const { task, attempt } of accepted) work(task.id, attempt).catch(() => undefined);
    },
  });
  fixture.connection.subscribe(`agent.${id}.inbox`, {
    callback: (_, message) => {
      const { items } = message.json<Json>();
      message.respond(JSON.stringify({ ack: items.map((item: Json) => item.id) }));
    },
  });
  const assignOn = async (): Promise<void> => {
    for (;;) {
      const tasks = [{ title: 'own' }, { title: 'own' }];
      const own = await fixture.ask(`agent.${id}.call.create`, { tasks, idempotencyKey: randomUUID() });
      const { rows } = await fixture.db.query(`SELECT id FROM tasks WHERE status = 'queued' LIMIT 50`);
      const items = [...own.tasks, ...rows].map((task) => ({
        taskId: task.id,
        agentId: id,
        shardEpoch: 0,
        decision: DECISION,
      }));
      await fixture.ask('svc.task.assign', { items });
    }
  };
  // Until nobody answers any more.
  assignOn().catch(() => undefined);
  return { finished: () => finished };
}

const parseLine = (line: string): Json => JSON.parse(line);

describe('a task-service that is told to stop under load', () => {
  it('answers all it took, leaves nothing unpublished, and ends in good order', async () => {
    const [replica] = fixture.replicas;
    if (replica === undefined) throw new Error('there is no replica');
    const agent = await startAgent('busy');
    const load = startClients();
    await until(() => load.created.length > 300 && agent.finished() > 50, { timeoutMs: 30_000 });
    const before = performance.now();
    const status = await replica.process.stop({ deadlineMs: 30_000 });
    expect(performance.now() - before).toBeLessThan(10_000);
    await load.done;
    expect(status).toEqual({ code: 0, signal: null });
    expect(load.refused.filter((code) => code !== 503)).toEqual([]);
    const { rows } = await fixture.db.query(
      `SELECT id FROM tasks WHERE created_by = 'user:local' ORDER BY id`,
    );
    expect(rows.map(({ id }) => id)).toEqual(load.created.toSorted());
    expect((await fixture.db.query('SELECT id FROM outbox')).rows).toEqual([]);
    const lines = (await readFile(replica.process.logFile, 'utf8')).trimEnd().split('\n').map(parseLine);
    const stopping = lines.slice(lines.findIndex(({ msg }) => msg === 'stopping'));
    expect(stopping.map(({ level }) => level)).toEqual(stopping.map(() => 'info'));
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(300);
  }, 60_000);
});
