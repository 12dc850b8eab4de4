import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const becomes = (taskId: string, status: string) =>
  until(async () => (await statusOf(fixture, taskId)) === status, {
    describe: `${taskId} becomes ${status}`,
  });

describe('what a process left behind when it died', () => {
  it('is found at the next start: orphans, abandoned work, dependents that are met, events not published', async () => {
    const { epoch } = await hello(fixture, 'gone');
    const [assigned, started, parent] = [await create(fixture), await create(fixture), await create(fixture)];
    await assign(fixture, assigned, 'gone');
    for (const taskId of [started, parent]) {
      const { attempt } = await assign(fixture, taskId, 'gone');
      await verb(fixture, 'gone', 'start', { taskId, attempt, epoch });
    }
    const spawned = await fixture.ask('agent.gone.call.spawn', {
      parent: { taskId: parent, attempt: 1, epoch },
      task: { title: 'child' },
    });
    const dependent = await create(fixture, { dependencies: [{ taskId: parent }] });
    const heard: Json[] = [];
    fixture.connection.subscribe('task.created', {
      callback: (_, message) => void heard.push(message.json()),
    });

    await fixture.restart(async () => {
      // As if the process had died after each of these commits and before anything that follows from it.
      await fixture.db.query(`UPDATE agents SET status = 'offline' WHERE id = 'gone'`);
      await fixture.db.query(
        `UPDATE tasks SET status = 'cancelled', completed_at = now(), assigned_to = NULL, version = version + 1
          WHERE id = $1`,
        [parent],
      );
      await fixture.db.query(
        `INSERT INTO outbox (id, messages, created_at) VALUES (gen_random_uuid(),
          '[{"subject":"task.created","msgId":"left-behind","body":[{"left":"behind"}]}]', now() - interval '3 s')`,
      );
    });

    await Promise.all([becomes(assigned, 'queued'), becomes(started, 'queued')]);
    await becomes(spawned.tasks[0].id, 'cancelled');
    await becomes(dependent, 'failed');
    await until(() => heard.some(([event]) => event.left === 'behind'));
    await until(async () => (await fixture.db.query('SELECT 1 FROM outbox')).rowCount === 0);
    const { rows } = await fixture.db.query('SELECT status_reason, lost_count FROM tasks WHERE id = $1', [
      started,
    ]);
    expect(rows).toEqual([{ status_reason: 'expired', lost_count: 1 }]);
  });

  it('is watched again when an older version, which did not know a limit, wrote the task last', async () => {
    const { epoch } = await hello(fixture, 'older');
    const [waiting, working, plain] = [
      await create(fixture, { queueTimeout: 1 }),
      await create(fixture, { progressTimeout: 1, maxRetries: 0 }),
      await create(fixture),
    ];
    const { attempt } = await assign(fixture, working, 'older');
    await fixture.restart(async () => {
      await fixture.db.query(
        `UPDATE tasks SET due_at = NULL, status = 'in_progress', holder_epoch = $2, started_at = now() WHERE id = $1`,
        [working, epoch],
      );
      await fixture.db.query('UPDATE tasks SET due_at = NULL WHERE id = ANY($1)', [[waiting, plain]]);
    });
    expect(attempt).toBe(1);
    await Promise.all([becomes(waiting, 'failed'), becomes(working, 'failed')]);
    expect(await statusOf(fixture, plain)).toBe('queued');
  });

  it('is taken up list by list: one that cannot be read does not starve the others', async () => {
    const { epoch } = await hello(fixture, 'lost');
    const taskId = await create(fixture);
    const { attempt } = await assign(fixture, taskId, 'lost');
    await verb(fixture, 'lost', 'start', { taskId, attempt, epoch });
    try {
      await fixture.restart(async () => {
        await fixture.db.query(`UPDATE agents SET status = 'offline' WHERE id = 'lost'`);
        // What blocked tasks wait for, the first of the lists, cannot be read.
        await fixture.db.query('ALTER TABLE task_dependencies RENAME policy TO out_of_reach');
      });
      const status = async () =>
        (await fixture.db.query('SELECT status FROM tasks WHERE id = $1', [taskId])).rows[0].status;
      await until(async () => (await status()) === 'queued');
    } finally {
      await fixture.db.query('ALTER TABLE task_dependencies RENAME out_of_reach TO policy');
    }
  });
});

describe('limits of time', () => {
  it('take a running task from its agent and fail it when no try is left', async () => {
    const { epoch } = await hello(fixture, 'slow');
    const revoked: Json[] = [];
    fixture.connection.subscribe('agent.slow.control', {
      callback: (_, message) => void revoked.push(message.json()),
    });
    const taskId = await create(fixture, { timeout: 0.5, maxRetries: 0 });
    const { attempt } = await assign(fixture, taskId, 'slow');
    await verb(fixture, 'slow', 'start', { taskId, attempt, epoch });
    await becomes(taskId, 'failed');
    const { body } = await fixture.http('GET', `/v1/tasks/${taskId}`);
    expect(body).toMatchObject({ statusReason: 'retries_exhausted', error: { code: 'timeout' } });
    expect(revoked).toMatchObject([{ type: 'revoke', taskId, attempt: 1 }]);
  });

  it('fail a task whose deadline passes, whatever it was doing', async () => {
    const deadline = new Date(Date.now() + 800).toISOString();
    const { epoch } = await hello(fixture, 'late');
    const waiting = await create(fixture, { deadline });
    const blocked = await create(fixture, { deadline, dependencies: [{ taskId: await create(fixture) }] });
    const taskId = await create(fixture, { deadline });
    const { attempt } = await assign(fixture, taskId, 'late');
    await verb(fixture, 'late', 'start', { taskId, attempt, epoch });
    await Promise.all([waiting, blocked, taskId].map((id) => becomes(id, 'failed')));
    const { body } = await fixture.http('GET', `/v1/tasks/${taskId}`);
    expect(body).toMatchObject({ statusReason: 'expired', error: { code: 'expired', retryable: false } });
  });

  it('make a delayed task ready when its time has come', async () => {
    const taskId = await create(fixture, { availableAt: new Date(Date.now() + 700).toISOString() });
    await hello(fixture, 'punctual');
    expect((await assign(fixture, taskId, 'punctual')).ok).toBe(false);
    await until(async () => (await assign(fixture, taskId, 'punctual')).ok);
  });

  it('are found by the index, whatever is due later', async () => {
    await fixture.db.query('SET enable_seqscan = off');
    const { rows } = await fixture.db.query(
      `EXPLAIN SELECT id FROM tasks WHERE due_at <= (SELECT clock_timestamp()) ORDER BY due_at LIMIT 500`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/Index Cond: \(due_at <= /);
  });
});

describe('the history', () => {
  it('has partitions for this month and the next three, and takes tasks of any other time', async () => {
    const { rows } = await fixture.db.query(
      `SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'task_events'::regclass`,
    );
    expect(rows[0].n).toBe(5);
  });
});
