import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture } from './fixture.js';
import { audit } from './replay.js';

const PROGRAM = fileURLToPath(new URL('../dist/audit-verify.js', import.meta.url));
const run = promisify(execFile);

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
  // As who may put triggers aside.
  await fixture.db.query('SET session_replication_role = replica');
});
afterAll(() => fixture.close());

/** `npm run audit:verify` on the database, without its bootstrap. */
async function verify(...words: readonly string[]) {
  const ended = run(process.execPath, [PROGRAM, ...words], {
    env: { PATH: process.env['PATH'], DATABASE_URL: fixture.databaseUrl },
  });
  const { stdout, stderr } = await ended.catch((error: { stdout: string; stderr: string }) => error);
  return { code: ended.child.exitCode, lines: stdout.trim().split('\n'), stderr };
}

/** A task that was assigned, started and completed: five versions with its retry. */
async function completed(epoch: number): Promise<string> {
  const taskId = await create(fixture, { title: 'Éé "quoted"', input: { text: 'é "x" \\' }, maxRetries: 1 });
  await assign(fixture, taskId, 'ada');
  await verb(fixture, 'ada', 'start', { taskId, attempt: 1, epoch });
  await verb(fixture, 'ada', 'complete', { taskId, attempt: 1, epoch, result: { answer: [1, 'é'] } });
  return taskId;
}

/** What somebody might do to the tables behind Baton's back, and what the audit says of it. */
const TAMPERINGS: readonly (readonly [string, string, string])[] = [
  ['a status', `UPDATE tasks SET status = 'cancelled' WHERE id = $1`, 'its status is "cancelled"'],
  ['a title', `UPDATE tasks SET title = 'Other' WHERE id = $1`, 'its title is "Other"'],
  ['tags', `UPDATE tasks SET tags = '["x"]' WHERE id = $1`, 'its tags is ["x"]'],
  [
    'a time',
    `UPDATE tasks SET completed_at = completed_at + interval '1 ms' WHERE id = $1`,
    'its completedAt is',
  ],
  ['the input', `UPDATE tasks SET input = '{"text":"forged"}' WHERE id = $1`, 'its input is not the one'],
  ['the context', `UPDATE tasks SET context = '{"a":1}' WHERE id = $1`, 'its context is not the one'],
  ['the result', `UPDATE tasks SET result = NULL WHERE id = $1`, 'its result is not the one'],
  [
    'a version left out',
    `DELETE FROM task_events WHERE task_id = $1 AND version = 2`,
    'expected version 2, got 3',
  ],
  [
    'the end left out',
    `DELETE FROM task_events WHERE task_id = $1 AND version = 4`,
    'its version is 4, but its history leads to 3',
  ],
  ['no history at all', `DELETE FROM task_events WHERE task_id = $1`, 'it has no history'],
  [
    'another event',
    `UPDATE task_events SET event_type = 'task.started' WHERE task_id = $1 AND version = 2`,
    'task.started from queued to assigned is no arrow',
  ],
  [
    'another change',
    `UPDATE task_events SET event_data = '{"changes":{"status":"queued"}}' WHERE task_id = $1 AND version = 3`,
    'task.started from assigned to queued is no arrow',
  ],
  [
    'an older time',
    `UPDATE task_events SET created_at = created_at - interval '1 day' WHERE task_id = $1 AND version = 3`,
    'version 3 is older than what came before it',
  ],
  [
    'another attempt',
    `UPDATE task_events SET attempt = 2 WHERE task_id = $1 AND version = 3`,
    'version 3 is of attempt 2, not 1',
  ],
  ['no row', `DELETE FROM tasks WHERE id = $1`, 'there is a history and no such task'],
];

describe('npm run audit:verify', () => {
  const tampered = new Map<string, string>();

  it('agrees with what was done through Baton, in words and as JSON', async () => {
    const { epoch } = await hello(fixture, 'ada', { maxConcurrent: 100 });
    for (const [what] of TAMPERINGS) tampered.set(what, await completed(epoch));
    const dependency = await create(fixture);
    await create(fixture, {
      dependencies: [{ taskId: dependency }],
      tags: ['b', 'a'],
      metadata: { z: 1, a: null },
    });
    await fixture.http('POST', `/v1/tasks/${dependency}/cancel`, { reason: 'for the test' });
    const tasks = TAMPERINGS.length + 2;
    const said = await verify();
    expect(said).toEqual({
      code: 0,
      lines: [expect.stringMatching(`of ${tasks} tasks, followed .*: all of it agrees`)],
      stderr: '',
    });
    const json = await verify('--json');
    expect(json.lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ tasks, events: expect.any(Number), sealed: expect.any(Number), problems: 0 }),
    ]);
  });

  it('tells each thing that was changed behind its back, of that task alone, and exits with 1', async () => {
    for (const [what, statement] of TAMPERINGS) await fixture.db.query(statement, [tampered.get(what)]);
    const { problems } = await audit(fixture.databaseUrl);
    for (const [what, , told] of TAMPERINGS) {
      const ofTask = problems.filter(({ taskId }) => taskId === tampered.get(what));
      expect([what, ofTask.map(({ problem }) => problem).join('; ')]).toEqual([
        what,
        expect.stringContaining(told),
      ]);
    }
    const ids = new Set(tampered.values());
    expect(problems.filter(({ taskId }) => !ids.has(taskId))).toEqual([]);
    const { code, lines } = await verify('--json');
    expect(code).toBe(1);
    expect(lines.slice(0, -1).map((line) => JSON.parse(line))).toEqual(problems);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ problems: problems.length });
    expect((await verify()).lines.at(-1)).toContain(`${problems.length} problems, told above`);
  });

  it('follows more tasks than one page has, in any order of their making', async () => {
    const { body } = await fixture.http('POST', '/v1/tasks/batch', {
      tasks: Array.from({ length: 450 }, (_, index) => ({ title: `Task ${index}` })),
    });
    const before = (await audit(fixture.databaseUrl)).problems.length;
    await fixture.db.query(`UPDATE tasks SET priority = 1 WHERE title IN ('Task 0', 'Task 449')`);
    const { tasks, problems } = await audit(fixture.databaseUrl);
    expect(tasks).toBeGreaterThan(450);
    expect(problems.length).toBe(before + 2);
    expect(body).toBeDefined();
  });
});
