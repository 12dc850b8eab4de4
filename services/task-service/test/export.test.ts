import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { create, statusOf } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { lockDependencies } from '../src/write-path/load.archived.js';
import {
  age,
  archive,
  countArchived,
  endedTasks,
  exportMonths,
  inOneTransaction,
  restore,
  stateOf,
} from './history.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
let directory: string;
beforeAll(async () => {
  fixture = await startFixture();
  directory = await mkdtemp(join(tmpdir(), 'baton-export-'));
});
afterAll(async () => {
  await fixture.close();
  await rm(directory, { recursive: true });
});

const read = async (name: string): Promise<Json[]> =>
  gunzipSync(await readFile(join(directory, name)))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const cancel = (id: string) => fixture.http('POST', `/v1/tasks/${id}/cancel`, { reason: 'for the test' });

describe('the export', () => {
  it('writes every task of an old month with all that belongs to it, says so in a manifest, and drops the month', async () => {
    const ids = [
      ...(await endedTasks(fixture, 120, () => ({ metadata: { text: 'é\n"\u2028' }, tags: ['x'] }))),
    ];
    const dependent = await create(fixture, { dependencies: [{ taskId: ids[0], name: 'first' }] });
    await cancel(dependent);
    await archive(fixture.databaseUrl);
    await age(fixture, '2024-01-01');
    const rows = await fixture.db.query('SELECT to_json(t) AS task FROM archived_tasks t ORDER BY id');
    const events = await fixture.db.query('SELECT count(*)::int AS n FROM archived_task_events');
    expect(await exportMonths(fixture.databaseUrl, undefined)).toBe(0);
    expect(await exportMonths(fixture.databaseUrl, directory, 86_400 * 36_500)).toBe(0);
    expect(await countArchived(fixture, ids)).toBe(120);

    expect(await exportMonths(fixture.databaseUrl, directory)).toBe(121);
    expect((await readdir(directory)).toSorted()).toEqual([
      'tasks-2024-01.jsonl.gz',
      'tasks-2024-01.manifest.json',
    ]);
    const lines = await read('tasks-2024-01.jsonl.gz');
    expect(lines.map(({ task }) => task)).toEqual(rows.rows.map(({ task }) => task));
    expect(lines.flatMap((line) => line.events)).toHaveLength(events.rows[0].n);
    for (const line of lines) {
      expect(line.events.map(({ version }: Json) => version)).toEqual([1, 2]);
      expect(line.events.every(({ task_id: id }: Json) => id === line.task.id)).toBe(true);
    }
    expect(lines.at(-1).dependencies).toEqual([
      { month: '2024-01-01', task_id: dependent, depends_on: ids[0], policy: 'fail', name: 'first' },
    ]);
    const bytes = await readFile(join(directory, 'tasks-2024-01.jsonl.gz'));
    expect(JSON.parse(await readFile(join(directory, 'tasks-2024-01.manifest.json'), 'utf8'))).toEqual({
      format: 'baton-archive-1',
      month: '2024-01',
      file: 'tasks-2024-01.jsonl.gz',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      tasks: 121,
    });
    expect(await stateOf(fixture, '2024-01-01')).toBe('dropped');
    expect(
      (await fixture.db.query(`SELECT to_regclass('archived_tasks_2024_01') AS name`)).rows[0].name,
    ).toBeNull();
    expect((await fixture.http('GET', `/v1/tasks/${dependent}`)).status).toBe(404);
    expect(await exportMonths(fixture.databaseUrl, directory)).toBe(0);
  });

  it('keeps whole trees that anything outside depends on, and what these depend on', async () => {
    const far = await create(fixture);
    const near = await create(fixture, { dependencies: [{ taskId: far, policy: 'ignore' }] });
    const free = await create(fixture);
    await Promise.all([far, near, free].map(cancel));
    await archive(fixture.databaseUrl);
    const waiting = await create(fixture, { dependencies: [{ taskId: near, policy: 'wait' }] });
    await age(fixture, '2024-02-01');
    expect(await exportMonths(fixture.databaseUrl, directory)).toBe(1);
    expect((await read('tasks-2024-02.jsonl.gz')).map(({ task }) => task.id)).toEqual([free]);
    expect(await countArchived(fixture, [far, near])).toBe(2);
    expect(await statusOf(fixture, waiting)).toBe('blocked');
    const { body } = await fixture.http('GET', `/v1/tasks/${waiting}`);
    expect(body.dependencies).toMatchObject([{ taskId: near, status: 'cancelled' }]);
    await restore(fixture.databaseUrl, [near]);
    expect(await countArchived(fixture, [far, near])).toBe(1);
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBe(3);
    await cancel(waiting);
  });

  it('gives nothing back of a month that it has begun with, and lets nothing new depend on it', async () => {
    const id = await create(fixture);
    await cancel(id);
    await archive(fixture.databaseUrl);
    await age(fixture, '2024-03-01');
    await fixture.db.query(`UPDATE archive_months SET state = 'exporting' WHERE month = '2024-03-01'`);
    await restore(fixture.databaseUrl, [id]);
    expect(await countArchived(fixture, [id])).toBe(1);
    // Whoever depends on it already goes by how it ended, not by what is no more.
    const found = await inOneTransaction(fixture.databaseUrl, (client) => lockDependencies(client, [id]));
    expect(found.get(id)).toMatchObject({ status: 'cancelled', leaving: true });
    expect((await fixture.http('GET', `/v1/tasks/${id}`)).status).toBe(200);
    const answers = [
      await fixture.http('POST', `/v1/tasks/${id}/reopen`, { priority: 1 }),
      await fixture.http('DELETE', `/v1/tasks/${id}`),
    ];
    for (const { status, body } of answers) {
      expect([status, body.code]).toEqual([409, 'TASK_STATE_CONFLICT']);
      expect(body.detail).toContain('can only be read now');
    }
    const refused = await fixture.http('POST', '/v1/tasks', {
      title: 'Late',
      dependencies: [{ taskId: id }],
    });
    expect([refused.status, refused.body.code]).toEqual([422, 'DEPENDENCY_NOT_FOUND']);
    expect(await exportMonths(fixture.databaseUrl, directory)).toBeGreaterThan(0);
  });

  it('writes again what is not on the disk any more as it was written, before it drops anything', async () => {
    const id = await create(fixture);
    const gone = await create(fixture);
    for (const one of [id, gone]) await cancel(one);
    await fixture.http('DELETE', `/v1/tasks/${gone}`);
    await archive(fixture.databaseUrl);
    await age(fixture, '2024-04-01');
    await fixture.db
      .query(`UPDATE archive_months SET state = 'exported', file = 'tasks-2024-04.jsonl.gz', sha256 = 'other',
      bytes = 1, tasks = 1 WHERE month = '2024-04-01'`);
    await writeFile(join(directory, 'tasks-2024-04.jsonl.gz'), 'cut off');
    await exportMonths(fixture.databaseUrl, directory);
    const lines = await read('tasks-2024-04.jsonl.gz');
    expect(lines.filter(({ task }) => task !== null).map(({ task }) => task.id)).toContain(id);
    // Of what was deleted there is its history.
    const [deleted, ...more] = lines.filter(({ task }) => task === null);
    expect([deleted?.events.map((event: Json) => event.task_id), more]).toEqual([[gone, gone, gone], []]);
    expect(await stateOf(fixture, '2024-04-01')).toBe('dropped');
  });

  it('never lets go of a task that has not ended', async () => {
    const id = await create(fixture);
    await cancel(id);
    await archive(fixture.databaseUrl);
    await age(fixture, '2024-05-01');
    await fixture.db.query(`UPDATE archived_tasks SET status = 'queued', completed_at = NULL WHERE id = $1`, [
      id,
    ]);
    expect(await exportMonths(fixture.databaseUrl, directory)).toBe(0);
    expect(await countArchived(fixture, [id])).toBe(1);
    expect(await readdir(directory)).not.toContain('tasks-2024-05.jsonl.gz');
  });
});
