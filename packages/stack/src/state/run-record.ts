import { randomUUID } from 'node:crypto';
import { link, open, rm, stat, writeFile } from 'node:fs/promises';

import { waitFor } from '../wait.js';
import { identifyProcess, isAlive, type ProcessIdentity } from '../process/identity.js';
import type { RunningProcess } from '../process/start-process.js';
import { StackError } from '../stack-error.js';
import { readJson, writeJson } from './json-file.js';

interface ChildRecord extends ProcessIdentity {
  readonly name: string;
  readonly stopSignal: NodeJS.Signals;
}

interface RunContent {
  readonly owner: ProcessIdentity;
  readonly startedAt: string;
  /** What a person can open or connect to, without passwords. */
  readonly addresses: readonly string[];
  readonly children: readonly ChildRecord[];
}

const runFields = ['owner', 'startedAt', 'addresses', 'children'] as const;

/** The right to run a stack in one state directory, with a record of the processes that belong to it. */
export interface RunRecord {
  /** Records a child, so that the next start can stop it should this process be killed. */
  readonly track: (child: RunningProcess) => Promise<void>;
  /** What a refused second start is told. */
  readonly announce: (addresses: readonly string[]) => Promise<void>;
  readonly release: () => Promise<void>;
}

/**
 * Takes the run file, which only one living process may hold, and stops what a killed holder left
 * behind. A StackError ALREADY_RUNNING says who holds it.
 */
export async function takeRunRecord(runFile: string, report: (line: string) => void): Promise<RunRecord> {
  const owner = await identifyProcess(process.pid);
  if (owner === undefined) throw new Error('this process could not be identified');
  let content: RunContent = { owner, startedAt: new Date().toISOString(), addresses: [], children: [] };
  while (!(await createRunFile(runFile, content))) {
    await removeStaleRunFile(runFile, report);
  }

  let writes = Promise.resolve();
  const update = (change: Partial<RunContent>): Promise<void> => {
    content = { ...content, ...change };
    const snapshot = content;
    // A failure is told to whoever asked for that write, not to all after it: a full disk may have room again.
    writes = writes.catch(() => undefined).then(() => writeJson(runFile, snapshot));
    return writes;
  };

  return {
    track: async (child) => {
      const identity = await identifyProcess(child.pid);
      if (identity === undefined) return;
      const record: ChildRecord = { ...identity, name: child.name, stopSignal: child.stopSignal };
      void child.exited.then(() => {
        content = { ...content, children: content.children.filter((other) => other !== record) };
      });
      await update({ children: [...content.children, record] });
    },
    announce: (addresses) => update({ addresses }),
    release: async () => {
      await writes.catch(() => undefined);
      await rm(runFile, { force: true });
    },
  };
}

/** Throws ALREADY_RUNNING when a living process runs a stack here. */
export async function refuseWhileRunning(runFile: string): Promise<void> {
  const content = await readJson<RunContent>(runFile, runFields);
  if (content !== undefined && (await isAlive(content.owner))) throw alreadyRunning(content);
}

/** Whether the run file is there and cannot tell who runs. */
export async function isDamaged(runFile: string): Promise<boolean> {
  return readJson<RunContent>(runFile, runFields).then(
    () => false,
    (cause: unknown) => cause instanceof StackError,
  );
}

/** Creates the file with its whole content at once; false when it exists. */
async function createRunFile(runFile: string, content: RunContent): Promise<boolean> {
  const draft = `${runFile}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  try {
    await link(draft, runFile);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Removes the file of a dead holder after stopping its children; refuses for a living one. */
async function removeStaleRunFile(runFile: string, report: (line: string) => void): Promise<void> {
  // Two processes that both saw a dead holder must not both remove: the second would remove the
  // file the first has just taken. Hence one at a time, and each looks again when it is its turn.
  const turn = `${runFile}.turn`;
  const taken = await waitFor(() => takeTurn(turn), { deadlineMs: 60_000, intervalMs: 50 });
  if (taken === undefined) {
    const message = `Another process has been cleaning up ${runFile} for a minute. Wait for it, or remove ${turn}.`;
    throw new StackError('STATE_UNUSABLE', message);
  }
  try {
    const content = await readJson<RunContent>(runFile, runFields);
    if (content === undefined) return;
    if (await isAlive(content.owner)) throw alreadyRunning(content);
    for (const child of content.children) await stopOrphan(child, report);
    await rm(runFile, { force: true });
  } finally {
    await rm(turn, { force: true });
  }
}

async function takeTurn(turn: string): Promise<true | undefined> {
  const file = await open(turn, 'wx').catch(() => undefined);
  if (file !== undefined) {
    await file.close();
    return true;
  }
  const age = await stat(turn).then(
    (found) => Date.now() - found.mtimeMs,
    () => 0,
  );
  // Cleaning up takes at most 20 s for each child; whoever held it this long was killed.
  if (age > 120_000) await rm(turn, { force: true });
  return undefined;
}

async function stopOrphan(child: ChildRecord, report: (line: string) => void): Promise<void> {
  if (!(await isAlive(child))) return;
  report(`Stopping ${child.name} (pid ${child.pid}), left behind by a start that was killed`);
  sendSignal(child.pid, child.stopSignal);
  const gone = async (): Promise<true | undefined> => ((await isAlive(child)) ? undefined : true);
  if ((await waitFor(gone, { deadlineMs: 15_000, intervalMs: 50 })) === true) return;
  sendSignal(child.pid, 'SIGKILL');
  await waitFor(gone, { deadlineMs: 5_000, intervalMs: 50 });
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between.
  }
}

function alreadyRunning(content: RunContent): StackError {
  const addresses = content.addresses.map((address) => `\n  ${address}`).join('');
  return new StackError(
    'ALREADY_RUNNING',
    `Baton already runs here: process ${content.owner.pid}, since ${content.startedAt}.${addresses}\n` +
      `Use that one, or stop it first (Ctrl-C in its terminal, or: kill ${content.owner.pid}). ` +
      'A second one needs a state directory of its own: set BATON_DIRECTORY to another folder.',
  );
}
