import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { findFreePort, startProcess, type RunningProcess } from '@baton/stack';
import { serviceLogin, until } from '@baton/testkit';
import { queuedTask } from './factories.js';
import { startFixture, type Fixture } from './fixture.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

let fixture: Fixture;
let directory: string;
const processes: RunningProcess[] = [];
afterEach(async () => {
  for (const child of processes.splice(0)) await child.stop();
  await fixture.close();
  await rm(directory, { recursive: true });
});

async function startReady(): Promise<{
  readonly child: RunningProcess;
  readonly readiness: () => Promise<number>;
}> {
  const port = await findFreePort();
  const child = await startProcess({
    name: 'distribution-service',
    command: process.execPath,
    arguments: [MAIN],
    logFile: join(directory, 'distribution.log'),
    environment: {
      ...process.env,
      ...serviceLogin(fixture.broker, 'distribution-service'),
      BATON_OPERATIONS_PORT: String(port),
      BATON_SHUTDOWN_DELAY_MS: '1500',
    },
  });
  processes.push(child);
  const readiness = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
  await until(async () => (await readiness()) === 200, { describe: () => child.lastLines() });
  return { child, readiness };
}

describe('SIGTERM', () => {
  it('under load ends the process with 0, unready first, and the next one places what is left, each once', async () => {
    [fixture, directory] = await Promise.all([
      startFixture(),
      mkdtemp(join(tmpdir(), 'baton-distribution-')),
    ]);
    for (let agent = 0; agent < 50; agent += 1)
      fixture.tasks.addAgent(`agent-${agent}`, { maxConcurrent: 40 });
    const { child, readiness } = await startReady();
    let created = 0;
    const over = new AbortController();
    const creating = (async () => {
      while (!over.signal.aborted && created < 1_500) {
        await fixture.tasks.create(Array.from({ length: 5 }, () => queuedTask()));
        created += 5;
      }
    })();
    await until(() => fixture.tasks.assigned.length > 50);
    child.signal('SIGTERM');
    await until(async () => (await readiness()) === 503, { timeoutMs: 1_400 });
    expect(await child.exited).toMatchObject({ code: 0 });
    over.abort();
    await creating;
    // However fast the first one was: something is left.
    await fixture.tasks.create(Array.from({ length: 5 }, () => queuedTask()));
    created += 5;
    expect(created).toBeGreaterThan(fixture.tasks.assigned.length);

    await startReady();
    await until(() => fixture.tasks.assigned.length >= created, { timeoutMs: 15_000 });
    expect(new Set(fixture.tasks.assigned.map(({ taskId }) => taskId)).size).toBe(created);
    expect(fixture.tasks.assigned).toHaveLength(created);
    expect(fixture.tasks.overfilled).toEqual([]);
  }, 40_000);
});
