import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import { StackError } from '../stack-error.js';
import { guardChild, releaseChild } from './guard.js';

const logLimitBytes = 32 * 1024 * 1024;

/** What to run and where its output goes. */
export interface ProcessOptions {
  /** How messages call it. */
  readonly name: string;
  readonly command: string;
  readonly arguments?: readonly string[];
  /** The whole environment of the child; that of this process when left out. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly directory?: string;
  /** Standard output and error are appended here; over 32 MiB the old file moves to `<logFile>.1` first. */
  readonly logFile: string;
  /** The signal that asks the child to end in good order; SIGTERM when left out. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long it may take to end before it is killed; 10 s when left out. */
  readonly stopDeadlineMs?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** How a process ended: with an exit code or by a signal. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process of ours. It is stopped by the system should this process die, even by SIGKILL. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly stopSignal: NodeJS.Signals;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Whether it has ended. */
  hasExited(): boolean;
  /** Sends a signal; nothing happens when the process has ended. */
  signal(signal: NodeJS.Signals): void;
  /** Sends its stop signal and waits; kills it and its process group after `deadlineMs` (its own deadline). */
  stop(options?: { readonly deadlineMs?: number }): Promise<ExitStatus>;
  /** The last lines it wrote, at most `count` (20). */
  lastLines(count?: number): Promise<string>;
}

/**
 * Starts a child process in a process group of its own (Ctrl-C in the terminal does not reach it) with
 * its output in a log file. Rejects with a StackError when the program cannot be started.
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  await mkdir(dirname(options.logFile), { recursive: true, mode: 0o700 });
  await moveLargeLog(options.logFile);
  const log = await open(options.logFile, 'a', 0o600);
  try {
    const { size } = await log.stat();
    // The child writes to the file itself: no copying here, and nothing is lost when this process dies.
    const child = spawn(options.command, options.arguments ?? [], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: options.environment ?? process.env,
      ...(options.directory !== undefined && { cwd: options.directory }),
      ...(options.uid !== undefined && { uid: options.uid }),
      ...(options.gid !== undefined && { gid: options.gid }),
    });
    return await runningProcess(child, options, size);
  } finally {
    await log.close();
  }
}

async function runningProcess(
  child: ChildProcess,
  options: ProcessOptions,
  logStart: number,
): Promise<RunningProcess> {
  let ended: ExitStatus | undefined;
  const exited = new Promise<ExitStatus>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = { code, signal };
      if (child.pid !== undefined) releaseChild(child.pid);
      resolve(ended);
    });
  });
  const pid = await spawnedPid(child, options);
  const { stopSignal = 'SIGTERM', stopDeadlineMs = 10_000 } = options;
  if (ended === undefined) guardChild(pid, { signal: stopSignal, deadlineMs: stopDeadlineMs });

  const stop: RunningProcess['stop'] = async ({ deadlineMs = stopDeadlineMs } = {}) => {
    if (ended !== undefined) return ended;
    child.kill(stopSignal);
    const timer = setTimeout(() => killGroup(pid), deadlineMs);
    return exited.finally(() => clearTimeout(timer));
  };

  return {
    name: options.name,
    pid,
    logFile: options.logFile,
    stopSignal,
    exited,
    hasExited: () => ended !== undefined,
    signal: (signal) => void child.kill(signal),
    stop,
    lastLines: (count = 20) => lastLines(options.logFile, { from: logStart, count }),
  };
}

function spawnedPid(child: ChildProcess, options: ProcessOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (cause) => {
      const message =
        `Could not start ${options.name}: running ${options.command} gave "${cause.message}". ` +
        'Check that the file exists and may be executed.';
      reject(new StackError('PROCESS_START_FAILED', message, { cause }));
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It ended by itself between the deadline and now.
  }
}

async function moveLargeLog(logFile: string): Promise<void> {
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (size > logLimitBytes) await rename(logFile, `${logFile}.1`);
}

async function lastLines(
  logFile: string,
  range: { readonly from: number; readonly count: number },
): Promise<string> {
  const file = await open(logFile, 'r').catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const start = Math.max(range.from, size - 64 * 1024);
    const length = Math.max(0, size - start);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, start);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-range.count).join('\n');
  } finally {
    await file.close();
  }
}
