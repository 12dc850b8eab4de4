import { readdir, readFile } from 'node:fs/promises';

/** CPU used so far, in milliseconds, by process. */
export type CpuSample = ReadonlyMap<string, number>;

/** A process to account for. */
export type Accounted = { readonly name: string; readonly pid: number };

type ProcessStat = {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly ownMs: number;
  readonly reapedMs: number;
};

// USER_HZ, which is 100 on every Linux whatever the kernel's own tick is.
const tickMs = 10;

/**
 * Reads from /proc what the given processes have used, and the nats-server and Postgres that are children of this
 * process, Postgres with all its backends, those that ended included. Undefined where there is no /proc.
 */
export async function sampleCpu(accounted: readonly Accounted[]): Promise<CpuSample | undefined> {
  if (process.platform !== 'linux') return undefined;
  const stats = await readAll();
  const sample = new Map<string, number>();
  for (const { name, pid } of accounted) {
    sample.set(name, stats.find((stat) => stat.pid === pid)?.ownMs ?? 0);
  }
  for (const child of stats.filter(({ parent }) => parent === process.pid)) {
    if (child.command === 'nats-server') sample.set('nats-server', child.ownMs);
    if (child.command === 'postgres') sample.set('postgres', familyMs(child, stats));
  }
  return sample;
}

/** CPU of each backend of the Postgres that is a child of this process, by process id; empty without /proc. */
export async function sampleBackends(): Promise<ReadonlyMap<number, number>> {
  if (process.platform !== 'linux') return new Map();
  const stats = await readAll();
  const server = stats.find(({ parent, command }) => parent === process.pid && command === 'postgres');
  const backends = stats.filter(({ parent }) => parent === server?.pid);
  return new Map(backends.map(({ pid, ownMs }) => [pid, ownMs]));
}

function familyMs(server: ProcessStat, stats: readonly ProcessStat[]): number {
  const backends = stats.filter(({ parent }) => parent === server.pid);
  return backends.reduce((sum, { ownMs }) => sum + ownMs, server.ownMs + server.reapedMs);
}

async function readAll(): Promise<readonly ProcessStat[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readStat(Number(pid))));
  return stats.filter((stat) => stat !== undefined);
}

async function readStat(pid: number): Promise<ProcessStat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  if (text === undefined) return undefined;
  // The command is in parentheses and may itself hold spaces and parentheses: state, parent and so on follow.
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  const ticks = (index: number): number => Number(fields[index] ?? 0) * tickMs;
  return {
    pid,
    parent: Number(fields[1]),
    command: text.slice(text.indexOf('(') + 1, end),
    ownMs: ticks(11) + ticks(12),
    reapedMs: ticks(13) + ticks(14),
  };
}
