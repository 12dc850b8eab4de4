import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { backlogRequest, SERVICE_SUBJECTS, type BacklogRequest } from '@baton/contracts';
import { until } from '@baton/testkit';
import { queuedTask } from './factories.js';
import { startFixture, type Fixture } from './fixture.js';

const SLOTS = 5;
const FREED = 100;
/** What one page of a class brings when one slot is free. */
const PAGE = 52;

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const asks = (name: string) => ({ backlogClass: name, requiredCapabilities: [{ name }] });
const able = (name: string) => ({ capabilities: [{ name, level: 1 }], maxConcurrent: SLOTS });

it('with 100,000 tasks waiting a freed slot has only the class read that its agent can do, a page for many slots', async () => {
  const { tasks } = fixture;
  tasks.addAgent('writer', able('write'));
  tasks.addAgent('reader', able('read'));
  const reads = Array.from({ length: 10_000 }, (_, n) => queuedTask({ ...asks('read'), queueKey: 2 * n }));
  for (let n = 0; n < 90_000; n += 1) {
    // The writer is full soon, and nobody can paint.
    tasks.queue(queuedTask({ ...asks(n % 2 === 0 ? 'write' : 'paint'), queueKey: 2 * n + 1 }));
  }
  for (const task of reads) tasks.queue(task);
  const asked: NonNullable<BacklogRequest['classes']>[number][] = [];
  tasks.bus.subscribe(SERVICE_SUBJECTS.backlog, (body) => {
    asked.push(...backlogRequest.parse(body).classes);
  });
  await tasks.bus.connection.flush();
  await fixture.start();
  await until(() => tasks.assigned.length === 2 * SLOTS);
  expect(new Set(asked.map(({ backlogClass }) => backlogClass))).toEqual(new Set(['read', 'write']));

  asked.length = 0;
  const given = () =>
    tasks.assigned.filter(({ agentId }) => agentId === 'reader').map(({ taskId }) => taskId);
  const beganAt = performance.now();
  for (let freed = 0; freed < FREED; freed += 1) {
    tasks.end(given()[freed] ?? '');
    await until(() => tasks.assigned.length === 2 * SLOTS + freed + 1);
  }
  const passes = Math.ceil((performance.now() - beganAt) / 5_000);

  expect(given()).toEqual(reads.slice(0, SLOTS + FREED).map(({ id }) => id));
  expect(new Set(asked.map(({ backlogClass }) => backlogClass))).toEqual(new Set(['read']));
  expect(Math.max(...asked.map(({ limit }) => limit))).toBeLessThanOrEqual(PAGE);
  // Every class is read from its start again once in five seconds.
  expect(asked.length).toBeLessThanOrEqual(Math.ceil(FREED / PAGE) + passes + 2);
}, 200_000);
