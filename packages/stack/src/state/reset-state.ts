import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { refuseWhileRunning, takeRunRecord } from './run-record.js';
import { stateDirectory } from './state-directory.js';

/** What of a state directory to remove. */
export interface ResetOptions {
  readonly directory: string;
  /** Names in the directory that stay. */
  readonly kept: readonly string[];
  readonly report: (line: string) => void;
}

/**
 * Empties a state directory and returns the names it removed. Rejects with ALREADY_RUNNING while a stack
 * runs in it; servers that a killed start left behind are stopped first.
 */
export async function resetState({ directory, kept, report }: ResetOptions): Promise<readonly string[]> {
  const state = stateDirectory(directory);
  const names = await readdir(state.path).catch(() => []);
  if (names.length === 0) return [];
  await refuseWhileRunning(state.runFile);
  // Held while removing, so that no start begins in what disappears.
  const record = await takeRunRecord(state.runFile, report);
  try {
    const staying = [...kept, basename(state.runFile), 'bootstrap.lock'];
    const removed = names.filter((name) => !staying.includes(name));
    for (const name of removed) await rm(join(state.path, name), { recursive: true, force: true });
    return removed;
  } finally {
    await record.release();
  }
}
