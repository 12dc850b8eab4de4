import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { livingServer } from '../postgres/pid-file.js';
import { StackError } from '../stack-error.js';
import { explainFileTrouble } from './file-trouble.js';
import { isDamaged, refuseWhileRunning, takeRunRecord } from './run-record.js';
import { isOwnName, stateDirectory, type StateDirectory } from './state-directory.js';

/** What of a state directory to remove. */
export interface ResetOptions {
  readonly directory: string;
  /** Names in the directory that stay. */
  readonly kept: readonly string[];
  readonly report: (line: string) => void;
}

/**
 * Removes what Baton keeps in a state directory and returns the names it removed. Rejects with ALREADY_RUNNING
 * while a stack runs in it; servers that a killed start left behind are stopped first.
 */
export async function resetState(options: ResetOptions): Promise<readonly string[]> {
  const state = stateDirectory(options.directory);
  return empty(state, options).catch((cause: unknown) => {
    throw explainFileTrouble(cause, state.path);
  });
}

async function empty(state: StateDirectory, { kept, report }: ResetOptions): Promise<readonly string[]> {
  const names = await readdir(state.path).catch((cause: NodeJS.ErrnoException): string[] => {
    if (cause.code === 'ENOENT') return [];
    throw cause;
  });
  if (names.length === 0) return [];
  if (await isDamaged(state.runFile)) await removeDamagedRunFile(state);
  await refuseWhileRunning(state.runFile);
  // Held while removing, so that no start begins in what disappears.
  const record = await takeRunRecord(state.runFile, report);
  try {
    const staying = [...kept, basename(state.runFile), 'bootstrap.lock'];
    const removed = names.filter((name) => isOwnName(name) && !staying.includes(name));
    for (const name of removed) await rm(join(state.path, name), { recursive: true, force: true });
    return removed;
  } finally {
    await record.release();
  }
}

/** It cannot tell who runs here, so the server that would be hurt most is looked for itself. */
async function removeDamagedRunFile({ runFile, postgres }: StateDirectory): Promise<void> {
  const pid = await livingServer(join(postgres, 'data'));
  if (pid !== undefined) {
    throw new StackError(
      'ALREADY_RUNNING',
      `${runFile} is damaged, and a Postgres (process ${pid}) runs on the data beside it. ` +
        `Stop the Baton that runs here, or that Postgres alone (kill -INT ${pid}), and reset again.`,
    );
  }
  await rm(runFile, { force: true });
}
