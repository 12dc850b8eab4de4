import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startAgentHost, type AgentHost } from './agents.js';
import { createGraph, createTasks } from './load.js';
import { startSystem, type System } from './system.js';
import { expectTruth, installCapacityAlarm } from './truth.js';

const AGENT = { id: 'ada', maxConcurrent: 2 };

let system: System;
let host: AgentHost;
let db: pg.Client;
let acknowledged: readonly string[];
const urls = () => system.tasks.map(({ httpUrl }) => httpUrl ?? '');
beforeAll(async () => {
  system = await startSystem();
  host = await startAgentHost({ nats: system.nats, agents: [AGENT] });
  const single = await createTasks({
    urls,
    count: 8,
    body: (index) => ({ title: `${index}`, input: { index } }),
  });
  const graph = await createGraph(urls, [
    { ref: 'first', title: 'first' },
    { ref: 'second', title: 'second', dependencies: [{ ref: 'first' }] },
  ]);
  acknowledged = [...single.ids, ...graph.ids];
  await installCapacityAlarm(system);
  await expectTruth(system, { acknowledged, agents: [host] });
  db = new pg.Client({ connectionString: system.postgres.url });
  await db.connect();
}, 60_000);
afterAll(async () => {
  await db?.end();
  await host?.close();
  await system?.close();
}, 30_000);

/** A database that somebody tampered with looks like this to the checker; it is put right again afterwards. */
async function truthAfter(tampering: string): Promise<unknown> {
  await db.query('BEGIN');
  try {
    await db.query(tampering.replaceAll('$TASK', `'${acknowledged[0]}'`));
    const query = async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await db.query<Row>(text, [...values])).rows;
    return await expectTruth({ query }, { acknowledged, agents: [host], settleMs: 0 }).catch(String);
  } finally {
    await db.query('ROLLBACK');
  }
}

describe('the truth', () => {
  it('is told when nothing is wrong', async () => {
    expect(await truthAfter('SELECT')).toEqual({
      tasks: 10,
      completed: 10,
      failed: 0,
      cancelled: 0,
      reassignments: 0,
      lost: 0,
      restarts: 0,
      refused: 0,
      expiries: 0,
    });
  });

  it.each([
    ['a task was lost', 'DELETE FROM tasks WHERE id = $TASK', 'was acknowledged and is not there'],
    [
      'a task was lost but for its history',
      'DELETE FROM tasks WHERE id = $TASK',
      '4 events are of tasks that',
    ],
    ['a history was lost', 'DELETE FROM task_events WHERE task_id = $TASK', 'its input is not the one'],
    [
      'an event was lost',
      `DELETE FROM task_events WHERE task_id = $TASK AND version = 2`,
      'expected version 2',
    ],
    [
      'a row was changed',
      'UPDATE tasks SET retry_count = 1 WHERE id = $TASK',
      'make retryCount 0, its row 1',
    ],
    [
      'an unfollowed row was changed',
      'UPDATE tasks SET priority = 5 WHERE id = $TASK',
      'say priority 3, its row 5',
    ],
    [
      'a time was changed',
      `UPDATE tasks SET started_at = started_at + interval '1 ms' WHERE id = $TASK`,
      'its events make startedAt',
    ],
    ['an input was changed', `UPDATE tasks SET input = '{}' WHERE id = $TASK`, 'its input is not the one'],
    ['a result was changed', `UPDATE tasks SET result = '1' WHERE id = $TASK`, 'its result is not the one'],
    [
      'a result was lost',
      'UPDATE tasks SET result = NULL WHERE id = $TASK',
      'a result without having completed',
    ],
    ['a task ran with too many others', `UPDATE agents SET max_concurrent = 1`, 'agent ada held 2 tasks'],
    [
      'a statement gave an agent too much',
      `UPDATE tasks SET status = 'in_progress', assigned_to = 'ada', completed_at = NULL;
       UPDATE tasks SET status = 'completed', assigned_to = NULL, completed_at = updated_at`,
      'a statement left an agent over its capacity',
    ],
    [
      'a live agent was expired',
      `INSERT INTO audit_log VALUES
        (gen_random_uuid(), now() + interval '1 hour', 'agent:ada', 'agent.offline', 'ada', NULL, '{"reason":"silent"}')`,
      'agent ada was expired',
    ],
    [
      'a task did not wait',
      `INSERT INTO task_dependencies SELECT $TASK, id, 'fail' FROM tasks WHERE title = 'second'`,
      'on which it depends',
    ],
    [
      'a dependency is gone',
      `INSERT INTO task_dependencies VALUES ($TASK, gen_random_uuid(), 'fail')`,
      'which is not there',
    ],
    [
      'a handler did something else',
      `UPDATE tasks SET attempt = 2 WHERE id = $TASK`,
      'whose handler did not complete it',
    ],
    [
      'an event was not published',
      `INSERT INTO outbox (id, messages) VALUES (gen_random_uuid(), '[]')`,
      '1 rows are left in the outbox',
    ],
    [
      'a task is stuck',
      `UPDATE tasks SET status = 'blocked', completed_at = NULL WHERE id = $TASK`,
      '1 tasks have not ended:\n{"status":"blocked"',
    ],
  ])('is not told when %s', async (_what, tampering, problem) => {
    expect(await truthAfter(tampering)).toContain(problem);
  });
});
