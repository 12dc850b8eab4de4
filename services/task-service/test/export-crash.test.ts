import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { until } from '@baton/testkit';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { startFixture, type Fixture } from './fixture.js';
import { age, archive, endedTasks, stateOf } from './history.js';

const MONTH = '2024-01-01';
const FILE = 'tasks-2024-01.jsonl.gz';
const WHOLE = [FILE, 'tasks-2024-01.manifest.json'];

let fixture: Fixture;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'baton-export-'));
  // A month that ended is exported within a second.
  const environment = { BATON_ARCHIVE_DIRECTORY: directory, BATON_RETENTION_ARCHIVE_DAYS: '0' };
  fixture = await startFixture({ environment });
});
afterEach(async () => {
  await fixture.close();
  await rm(directory, { recursive: true });
});

async function kill(): Promise<void> {
  const [replica] = fixture.replicas;
  replica?.process.signal('SIGKILL');
  await replica?.process.exited;
}

async function exportedIds(): Promise<readonly string[]> {
  const lines = gunzipSync(await readFile(join(directory, FILE)))
    .toString()
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line).task.id);
}

it('an export that a SIGKILL cut off is written again from its start, and only what is whole gets its name', async () => {
  // Text that does not shrink, so that the file grows while it is written.
  const fields = () => ({ metadata: { text: randomBytes(6_000).toString('base64') } });
  const ids = await endedTasks(fixture, 300, fields);
  await archive(fixture.databaseUrl);
  await age(fixture, MONTH);
  const draft = await until(
    async () => {
      for (const name of await readdir(directory)) {
        if (name.endsWith('.tmp') && (await stat(join(directory, name))).size > 0) return name;
      }
      return undefined;
    },
    { intervalMs: 1, timeoutMs: 20_000 },
  );
  await kill();
  expect(await readdir(directory)).toEqual([draft]);
  expect(await stateOf(fixture, MONTH)).toBe('exporting');
  await fixture.restart(async () => undefined);
  await until(async () => (await stateOf(fixture, MONTH)) === 'dropped', { timeoutMs: 20_000 });
  expect((await readdir(directory)).toSorted()).toEqual(WHOLE);
  expect(await exportedIds()).toEqual(ids.toSorted());
}, 60_000);

it('a month whose export was finished before a SIGKILL is dropped and not written again', async () => {
  const ids = await endedTasks(fixture, 50);
  await archive(fixture.databaseUrl);
  // The export begins when somebody reads the archive for long, so that nothing can be dropped.
  await fixture.db.query(`SELECT pg_advisory_lock(hashtext('task-service export'))`);
  await age(fixture, MONTH);
  await fixture.db.query('BEGIN');
  await fixture.db.query('SELECT FROM archived_task_progress');
  await fixture.db.query(`SELECT pg_advisory_unlock(hashtext('task-service export'))`);
  await until(async () => (await stateOf(fixture, MONTH)) === 'exported', { timeoutMs: 20_000 });
  await kill();
  const written = await stat(join(directory, FILE));
  await fixture.db.query('COMMIT');
  expect(await stateOf(fixture, MONTH)).toBe('exported');
  await fixture.restart(async () => undefined);
  await until(async () => (await stateOf(fixture, MONTH)) === 'dropped', { timeoutMs: 20_000 });
  expect((await readdir(directory)).toSorted()).toEqual(WHOLE);
  const { ino, mtimeMs } = await stat(join(directory, FILE));
  expect({ ino, mtimeMs }).toEqual({ ino: written.ino, mtimeMs: written.mtimeMs });
  expect(await exportedIds()).toEqual(ids.toSorted());
}, 60_000);
