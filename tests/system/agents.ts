import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess, type RunningProcess } from '@baton/stack';
import { until, type Nats } from '@baton/testkit';

const PROGRAM = fileURLToPath(new URL('agent-host.mjs', import.meta.url));

/** An agent of the SDK inside a host. */
export type HostedAgent = {
  readonly id: string;
  readonly capabilities?: readonly (string | { readonly name: string; readonly level?: number })[];
  readonly maxConcurrent?: number;
  readonly prefetch?: number;
};

export type AgentHostOptions = {
  readonly nats: Nats;
  readonly agents: readonly HostedAgent[];
  /** How long a handler works, or between which two times; a task overrides it by `input.workMs`. Default: 20 ms. */
  readonly workMs?: number | readonly [number, number];
  /** Of the random working times. Default: 1. */
  readonly seed?: number;
};

/** One call of a handler. Times are milliseconds of the epoch; without `endedAt` it never came to its end. */
export type HandlerRun = {
  readonly agentId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly outcome?: 'completed' | 'failed' | 'aborted';
};

/** A stretch of time in which a host could beat; without `to` it goes on. */
export type Life = { readonly from: number; readonly to?: number };

/** A process with agents that live and die together. */
export type AgentHost = {
  readonly ids: readonly string[];
  /** When it was there: not before it was ready, while it was paused, or after it was killed or stopped. */
  readonly lives: readonly Life[];
  /** Everything its handlers did so far; works after its death too. */
  runs(): Promise<readonly HandlerRun[]>;
  /** SIGKILL; resolves with the moment just before it (milliseconds of the epoch) when the process is gone. */
  kill(): Promise<number>;
  /** SIGSTOP. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Asks its agents to leave in good order, and waits. */
  stop(): Promise<void>;
  /** Kills it if it still runs, and removes what it wrote. */
  close(): Promise<void>;
};

/** Starts the agents in one process of their own; resolves when Baton knows all of them. */
export async function startAgentHost(options: AgentHostOptions): Promise<AgentHost> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-agents-'));
  const reportFile = join(directory, 'report.jsonl');
  const { nats, agents, workMs = 20, seed = 1 } = options;
  const range = typeof workMs === 'number' ? [workMs, workMs] : workMs;
  const child = await startProcess({
    name: 'agent host',
    command: process.execPath,
    arguments: [PROGRAM, JSON.stringify({ servers: nats.url, agents, workMs: range, seed, reportFile })],
    environment: {
      ...process.env,
      BATON_NATS_CREDENTIALS_FILE: await nats.access.agentFiles(agents.map(({ id }) => id)),
    },
    logFile: join(directory, 'host.log'),
  });
  const readyAt = await until(
    async () => {
      if (child.hasExited()) throw new Error(`the agent host ended: ${await child.lastLines()}`);
      return (await readReport(reportFile)).find(({ kind }) => kind === 'ready')?.at;
    },
    { timeoutMs: 30_000, describe: () => child.lastLines() },
  );
  return hostOf(child, directory, reportFile, agents, readyAt);
}

function hostOf(
  child: RunningProcess,
  directory: string,
  reportFile: string,
  agents: readonly HostedAgent[],
  readyAt: number,
): AgentHost {
  const lives: Life[] = [{ from: readyAt }];
  const endLife = (): number => {
    const now = Date.now();
    const last = lives.at(-1);
    if (last !== undefined && last.to === undefined) lives[lives.length - 1] = { ...last, to: now };
    return now;
  };
  const kill = async (): Promise<number> => {
    const at = endLife();
    child.signal('SIGKILL');
    await child.exited;
    return at;
  };
  return {
    ids: agents.map(({ id }) => id),
    lives,
    runs: async () => toRuns(await readReport(reportFile)),
    kill,
    pause: () => {
      endLife();
      child.signal('SIGSTOP');
    },
    resume: () => {
      child.signal('SIGCONT');
      lives.push({ from: Date.now() });
    },
    stop: async () => {
      endLife();
      await child.stop();
    },
    close: async () => {
      if (!child.hasExited()) await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

type Line = {
  readonly kind: 'ready' | 'start' | 'end';
  readonly at: number;
  readonly agentId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly outcome?: 'completed' | 'failed' | 'aborted';
};

async function readReport(file: string): Promise<readonly Line[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  // What follows the last line break is still being written, or was cut off by a kill.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

function toRuns(lines: readonly Line[]): readonly HandlerRun[] {
  const runs: HandlerRun[] = [];
  const open = new Map<string, number>();
  for (const { kind, at, agentId, taskId, attempt, outcome } of lines) {
    const key = `${agentId} ${taskId} ${attempt}`;
    if (kind === 'start') {
      open.set(key, runs.length);
      runs.push({ agentId, taskId, attempt, startedAt: at });
    }
    const index = open.get(key);
    const run = index === undefined ? undefined : runs[index];
    if (kind !== 'end' || index === undefined || run === undefined) continue;
    open.delete(key);
    runs[index] = { ...run, endedAt: at, ...(outcome === undefined ? {} : { outcome }) };
  }
  return runs;
}
