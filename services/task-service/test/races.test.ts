import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

/** Two processes, the real database, both sides of a race at the same moment: one wins, and the other is told. */
const ROUNDS = 24;

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

const rounds = Array.from({ length: ROUNDS }, (_, round) => round);

/** A task in progress with an agent, and the hold on it. */
async function running(agentId: string, epoch: number, body: object = {}) {
  const taskId = await create(fixture, body);
  const { attempt } = await assign(fixture, taskId, agentId);
  const hold = { taskId, attempt, epoch };
  await verb(fixture, agentId, 'start', hold);
  return hold;
}

async function eventsOf(taskId: string): Promise<readonly string[]> {
  const { body } = await fixture.http('GET', `/v1/tasks/${taskId}/history?after=3`);
  return body.data.map(({ type, reason }: Json) => (reason === null ? type : `${type} ${reason}`));
}

describe('a complete and a cancel', () => {
  it('never both count', async () => {
    const { epoch } = await hello(fixture, 'racer', { maxConcurrent: ROUNDS });
    const holds = await Promise.all(rounds.map(() => running('racer', epoch)));
    const winners = await Promise.all(
      holds.map(async (hold, round) => {
        const complete = () => verb(fixture, 'racer', 'complete', { ...hold, result: round });
        const cancel = () => fixture.http('POST', `/v1/tasks/${hold.taskId}/cancel`, {});
        const both = round % 2 === 0 ? [complete(), cancel()] : [cancel(), complete()];
        const answers: Json[] = await Promise.all(both);
        const [completed, cancelled] = round % 2 === 0 ? answers : answers.toReversed();
        const hasWon = completed.ok === true;
        expect(cancelled.status).toBe(hasWon ? 409 : 200);
        expect(hasWon ? cancelled.body.code : completed.error.code).toBe('TASK_STATE_CONFLICT');
        expect(await eventsOf(hold.taskId)).toEqual([hasWon ? 'task.completed' : 'task.cancelled requested']);
        const { body } = await fixture.http('GET', `/v1/tasks/${hold.taskId}`);
        expect(body).toMatchObject(
          hasWon ? { status: 'completed', result: round } : { status: 'cancelled', result: null },
        );
        return hasWon;
      }),
    );
    expect(winners).toHaveLength(ROUNDS);
  });
});

describe('a complete and a timeout', () => {
  it('never both count, and each wins where it is first', async () => {
    const { epoch } = await hello(fixture, 'slow', { maxConcurrent: ROUNDS });
    // Without jitter: a draw near zero would have the task queued again, and one event more, now and then.
    const body = { timeout: 0.5, retryPolicy: { kind: 'fixed', baseSeconds: 3_600, jitter: false } };
    const completed = await Promise.all(
      rounds.map(async (round) => {
        const hold = await running('slow', epoch, body);
        // All around the moment the timer looks: it comes by every 250 ms.
        await sleep(round < 4 ? 0 : 350 + (round * 600) / ROUNDS + (round > ROUNDS - 4 ? 1_500 : 0));
        const answer = await verb(fixture, 'slow', 'complete', { ...hold, result: round });
        const events = await eventsOf(hold.taskId);
        if (answer.ok) expect(events).toEqual(['task.completed']);
        else {
          expect(answer.error.code).toBe('STALE_ATTEMPT');
          expect(events).toEqual(['task.queued retry']);
        }
        return answer.ok as boolean;
      }),
    );
    expect(completed).toContain(true);
    expect(completed).toContain(false);
  });
});

describe('a hand-over and an expiry of its agent', () => {
  it('never both move the task', async () => {
    await hello(fixture, 'target', { maxConcurrent: ROUNDS });
    const answers = await Promise.all(
      rounds.map(async (round) => {
        const agentId = `leaver-${round}`;
        const { epoch } = await hello(fixture, agentId);
        await fixture.http('PUT', `/v1/agents/${agentId}/connections/target`, {});
        const hold = await running(agentId, epoch);
        const expire = { items: [{ agentId, epoch, silentMs: 6_000 }] };
        const [delegated]: readonly Json[] = await Promise.all([
          verb(fixture, agentId, 'delegate', { ...hold, to: 'target' }),
          fixture.ask('svc.agent.expire', expire),
        ]);
        const [first, ...rest] = await eventsOf(hold.taskId);
        if (delegated.ok) {
          expect([first, rest]).toEqual(['task.delegated delegated', []]);
        } else {
          expect(['STALE_ATTEMPT', 'STALE_SESSION']).toContain(delegated.error.code);
          const { body } = await fixture.http('GET', `/v1/tasks/${hold.taskId}`);
          expect(['queued', 'in_progress']).toContain(body.status);
          expect([undefined, 'task.queued expired']).toContain(first);
        }
        return delegated.ok as boolean;
      }),
    );
    expect(answers).toHaveLength(ROUNDS);
  });
});

describe('a reopening and a deletion', () => {
  it('never both count', async () => {
    const outcomes = await Promise.all(
      rounds.map(async () => {
        const taskId = await create(fixture);
        await fixture.http('POST', `/v1/tasks/${taskId}/cancel`, {});
        const [reopened, deleted] = await Promise.all([
          fixture.http('POST', `/v1/tasks/${taskId}/reopen`, {}),
          fixture.http('DELETE', `/v1/tasks/${taskId}`),
        ]);
        const isThere = (await fixture.http('GET', `/v1/tasks/${taskId}`)).status === 200;
        expect([reopened.status, deleted.status]).toEqual(isThere ? [200, 409] : [404, 204]);
        return isThere;
      }),
    );
    expect(outcomes).toHaveLength(ROUNDS);
  });
});

describe('afterwards', () => {
  it('every task replays from its history, and nothing waited in a circle', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(2 * ROUNDS);
    await fixture.db.query('SELECT pg_stat_clear_snapshot()');
    const { rows } = await fixture.db.query(
      'SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(rows[0].n).toBe(0);
  });
});
