import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { commandLine, identifyProcess, isAlive } from '../process/identity.js';
import { waitFor } from '../wait.js';

/** The id of the server that runs on `data`; undefined when there is none. */
export async function livingServer(data: string): Promise<number | undefined> {
  const pid = await recordedPid(data);
  return pid !== undefined && (await commandLine(pid)).includes(data) ? pid : undefined;
}

/**
 * Makes the way free for a start on `data` when the last server was killed or left behind: an orphan on
 * this very data is stopped, and a pid file that is empty (the disk was full) or whose process id now belongs
 * to another program is removed (Postgres would refuse to start). Only to be called while nobody else starts there.
 */
export async function removeStalePidFile(data: string, report: (line: string) => void): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const pid = await recordedPid(data);
  if (pid === undefined) return rm(pidFile, { force: true });
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

async function recordedPid(data: string): Promise<number | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}
