import { randomUUID } from 'node:crypto';
import {
  HISTORY_BEGIN,
  type EventCursor,
  type EventsAnswer,
  type EventsRequest,
  type TaskEvent,
} from '@baton/contracts';
import { until } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { archive, endedTasks } from './history.js';

let fixture: Fixture;
let epoch: number;
beforeAll(async () => {
  fixture = await startFixture();
  ({ epoch } = await hello(fixture, 'ada', { maxConcurrent: 100 }));
});
afterAll(() => fixture.close());

const ask = (request: EventsRequest): Promise<EventsAnswer> => fixture.ask('svc.task.events', request);

/** Every page from `after` on; `between` runs after each. */
async function pages(
  request: EventsRequest,
  between: () => Promise<unknown> = () => Promise.resolve(),
): Promise<readonly EventsAnswer[]> {
  const answers: EventsAnswer[] = [];
  for (let after: EventCursor | null = request.after; after !== null;) {
    const answer: EventsAnswer = await ask({ ...request, after });
    answers.push(answer);
    after = answer.next;
    await between();
  }
  return answers;
}

const byTask = { after: HISTORY_BEGIN };
const byCommit = { after: { ...HISTORY_BEGIN, xid: '0' } };
const byId = (events: readonly TaskEvent[]) => events.toSorted((one, other) => (one.id < other.id ? -1 : 1));
const idsOf = (answers: readonly EventsAnswer[]) =>
  answers.flatMap(({ versions }) => versions.map(({ taskId, version }) => `${taskId}:${version}`));

/** Waits until the outbox is empty, then reads the whole stream. */
async function published(): Promise<readonly TaskEvent[]> {
  await until(async () => (await fixture.db.query('SELECT FROM outbox')).rowCount === 0);
  const api = async (subject: string, body: object = {}): Promise<Json> =>
    (await fixture.connection.request(`$JS.API.STREAM.${subject}.TASKS`, JSON.stringify(body))).json();
  const { state } = await api('INFO');
  const events: TaskEvent[] = [];
  for (let seq: number = state.first_seq; seq <= state.last_seq; seq += 1) {
    const { message } = await api('MSG.GET', { seq });
    const batch: TaskEvent[] = JSON.parse(Buffer.from(message.data, 'base64').toString());
    events.push(...batch);
  }
  return events;
}

/** A task that was tried, returned, failed for good, begun anew, changed, and completed. */
async function longLife(): Promise<string> {
  const taskId = await create(fixture, { type: 'build', priority: 2, maxRetries: 0, tags: ['a'] });
  const held = (attempt: number) => ({ taskId, attempt, epoch });
  await assign(fixture, taskId, 'ada');
  await verb(fixture, 'ada', 'return', { ...held(1), reason: 'draining' });
  await assign(fixture, taskId, 'ada');
  await verb(fixture, 'ada', 'start', held(2));
  await verb(fixture, 'ada', 'fail', {
    ...held(2),
    error: { code: 'broken', message: 'no', retryable: false },
  });
  await fixture.http('POST', `/v1/tasks/${taskId}/reopen`, {});
  await fixture.http('PATCH', `/v1/tasks/${taskId}`, { title: 'Another', priority: 4 });
  await assign(fixture, taskId, 'ada');
  await verb(fixture, 'ada', 'start', held(3));
  await verb(fixture, 'ada', 'complete', { ...held(3), result: {} });
  return taskId;
}

describe('svc.task.events', () => {
  it('tells every event as it was published, in either order, a page at a time, archived ones too', async () => {
    const lives = await Promise.all(Array.from({ length: 3 }, longLife));
    const doomed = await create(fixture, { hold: true });
    expect((await fixture.http('DELETE', `/v1/tasks/${doomed}`)).status).toBe(204);
    const [archived = ''] = await endedTasks(fixture, 1);
    expect(await archive(fixture.databaseUrl)).toBeGreaterThan(0);
    await Promise.all([longLife(), longLife()]);
    const expected = byId(await published());
    expect(expected.length).toBeGreaterThan(50);
    expect(expected.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining([...lives, doomed, archived]),
    );

    for (const request of [byTask, byCommit]) {
      for (const limit of [7, 500]) {
        const answers = await pages({ ...request, limit });
        expect(byId(answers.flatMap(({ events }) => events))).toEqual(expected);
        expect(idsOf(answers)).toEqual(answers.flatMap(({ events }) => events.map(({ id }) => id)));
        const brief = await pages({ ...request, limit, brief: true });
        expect(idsOf(brief)).toEqual(idsOf(answers));
        expect(brief.flatMap(({ events }) => events)).toEqual([]);
      }
    }
    const alone = await pages({ ...byTask, taskId: lives[0] ?? '', limit: 4 });
    expect(alone.flatMap(({ events }) => events)).toEqual(
      expected
        .filter(({ subject }) => subject === lives[0])
        .toSorted((one, other) => one.taskversion - other.taskversion),
    );
  });

  it('says who ceased to hold a task, since when', async () => {
    const taskId = await longLife();
    const { events } = await ask({ ...byTask, taskId });
    const left = events.flatMap(({ type, data }) => (data.left ? [{ type, ...data.left }] : []));
    expect(left).toMatchObject([
      { type: 'task.queued', agent: 'ada', startedAt: null },
      { type: 'task.failed', agent: 'ada', startedAt: events[4]?.time },
      { type: 'task.completed', agent: 'ada', startedAt: events.at(-2)?.time },
    ]);
  });

  it('passes nothing that is committed late', async () => {
    const [before] = (await pages(byCommit)).slice(-1);
    const begin = { ...HISTORY_BEGIN, xid: before?.horizon ?? '' };
    const late = new pg.Client({ connectionString: fixture.databaseUrl });
    await late.connect();
    const lateId = randomUUID();
    try {
      await late.query('BEGIN');
      await late.query(
        `INSERT INTO task_events (task_id, version, event_type, event_data, actor, attempt, created_at)
          SELECT $1, 1, event_type, event_data, actor, attempt, created_at FROM task_events
          WHERE version = 1 LIMIT 1`,
        [lateId],
      );
      const early = await create(fixture);
      const meanwhile = await ask({ after: begin });
      expect(meanwhile.versions).toEqual([]);
      await late.query('COMMIT');
      const after = await until(async () => {
        const answer = await ask({ after: { ...HISTORY_BEGIN, xid: meanwhile.horizon }, brief: true });
        return answer.versions.some(({ taskId }) => taskId === early) ? answer : undefined;
      });
      expect(after.versions).toEqual(expect.arrayContaining([{ taskId: lateId, version: 1 }]));
    } finally {
      await late.end();
      await fixture.db
        .query(`DELETE FROM task_events e WHERE NOT EXISTS (SELECT FROM tasks t WHERE t.id = e.task_id)
        AND e.version = 1 AND e.event_type = 'task.created'`);
    }
  });

  it('loses nothing that moves to the archive between two pages', async () => {
    const [before] = (await pages(byCommit)).slice(-1);
    const begin = { ...HISTORY_BEGIN, xid: before?.horizon ?? '' };
    const ids = await endedTasks(fixture, 12);
    const wanted = ids.flatMap((id) => [`${id}:1`, `${id}:2`]);
    await until(async () => idsOf(await pages({ after: begin, brief: true })).length >= wanted.length);
    const answers = await pages({ after: begin, limit: 5 }, () => archive(fixture.databaseUrl));
    expect(idsOf(answers).toSorted()).toEqual(wanted.toSorted());
  });

  it('reads a page along an index, whatever the history holds', async () => {
    const { rows } = await fixture.db.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT * FROM task_events WHERE xid >= '5' AND xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY xid, task_id, version LIMIT 10`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/_by_commit/);
  });

  it('refuses what is no cursor', async () => {
    expect(await fixture.ask('svc.task.events', { after: { taskId: 'x', version: -1 } })).toMatchObject({
      ok: false,
      error: { code: 'VALIDATION_FAILED' },
    });
  });
});
