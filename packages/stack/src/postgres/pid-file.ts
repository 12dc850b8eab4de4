import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { commandLine, identifyProcess, isAlive } from '../process/identity.js';
import { waitFor } from '../wait.js';

/**
 * Makes the way free for a start on `data` when the last server was killed or left behind: an orphan on
 * this very data is stopped, and a pid file whose process id now belongs to another program is removed
 * (Postgres would take that program for a server and refuse to start).
 */
export async function removeStalePidFile(data: string, report: (line: string) => void): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const text = await readFile(pidFile, 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1) return;
  const identity = await identifyProcess(pid);
  if (identity === undefined) return;
  if (!(await commandLine(pid)).includes(data)) {
    report(`Removing the pid file of a Postgres that was killed (pid ${pid} is another program now)`);
    await rm(pidFile, { force: true });
    return;
  }
  report(`Stopping a Postgres left behind on the same data (pid ${pid})`);
  process.kill(pid, 'SIGINT');
  const gone = async (): Promise<true | undefined> => ((await isAlive(identity)) ? undefined : true);
  await waitFor(gone, { deadlineMs: 30_000, intervalMs: 50 });
}
