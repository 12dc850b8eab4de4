import { startProcess, type ProcessOptions, type RunningProcess } from './start-process.js';

/** Starts a process and has it recorded by `track`. One that cannot be recorded is stopped: nobody would watch it. */
export async function startTracked(
  options: ProcessOptions,
  track: ((process: RunningProcess) => Promise<void>) | undefined,
): Promise<RunningProcess> {
  const child = await startProcess(options);
  try {
    await track?.(child);
  } catch (cause) {
    await child.stop();
    throw cause;
  }
  return child;
}
