import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { checkoutDirectory } from '@baton/stack';
import type { Accounted } from '../measure/cpu.js';
import { selfTimeByFunction, selfTimeByPackage, type CpuProfile, type SelfTimes } from './cpu-profile.js';
import { resetStatements, topStatements, type StatementCost } from './statements.js';

/** Profiles of the services and the agents, and the statements of Postgres, over a stretch of work. */
export type Profiling = {
  start(): Promise<void>;
  /** Ends the profiles and writes them to the directory; resolves to what they say for `tasks` tasks. */
  stop(tasks: number, cpu: ReadonlyMap<string, number> | undefined): Promise<string>;
};

const shown = { functions: 20, packages: 10, statements: 14 };
const writtenWithinMs = 30_000;

export function createProfiling(options: {
  readonly directory: string;
  readonly processes: readonly Accounted[];
  readonly postgresUrl: string;
}): Profiling {
  const { directory, processes, postgresUrl } = options;
  const signalAll = (): void => {
    for (const { pid } of processes) process.kill(pid, 'SIGUSR2');
  };
  return {
    async start() {
      await mkdir(directory, { recursive: true });
      await resetStatements(postgresUrl);
      signalAll();
    },
    async stop(tasks, cpu) {
      signalAll();
      const sections: string[] = [];
      for (const { name, pid } of processes) {
        const file = join(directory, `${name}.cpuprofile`);
        await untilWritten(join(directory, `${pid}.cpuprofile`), name);
        await rename(join(directory, `${pid}.cpuprofile`), file);
        const profile = JSON.parse(await readFile(file, 'utf8')) as CpuProfile;
        sections.push(
          `${name}, self time by package and by function`,
          table(selfTimeByPackage(profile, checkoutDirectory), shown.packages, cpu?.get(name)),
          table(selfTimeByFunction(profile, checkoutDirectory), shown.functions, cpu?.get(name)),
        );
      }
      const statements = await topStatements(postgresUrl, shown.statements);
      sections.push('Postgres, elapsed time of statements', statementTable(statements, tasks));
      const text = sections.join('\n\n');
      await writeFile(join(directory, 'summary.txt'), `${text}\n`);
      return text;
    },
  };
}

async function untilWritten(file: string, name: string): Promise<void> {
  const end = performance.now() + writtenWithinMs;
  while (!existsSync(file)) {
    if (performance.now() > end)
      throw new Error(`${name} wrote no profile within ${writtenWithinMs / 1_000} s`);
    await delay(50);
  }
}

/**
 * Shares, and microseconds of CPU for each task where that is known: samples are taken by the wall clock, so that on
 * a busy machine they count the time a process waited for a core, too.
 */
function table(times: SelfTimes, limit: number, cpu: number | undefined): string {
  const total = times.reduce((sum, [, time]) => sum + time, 0);
  const lines = times.slice(0, limit).map(([name, time]) => {
    const share = time / total;
    const microseconds = cpu === undefined ? '' : `${(share * cpu).toFixed(1).padStart(7)} µs`;
    return `${microseconds}${(share * 100).toFixed(1).padStart(6)} %  ${name}`;
  });
  return lines.join('\n');
}

function statementTable(statements: readonly StatementCost[], tasks: number): string {
  const head = ' µs/task  plan µs   calls  rows/call  WAL B/task  statement';
  const lines = statements.map(({ statement, calls, rows, executionMs, planningMs, walBytes }) =>
    [
      ((executionMs * 1_000) / tasks).toFixed(1).padStart(8),
      ((planningMs * 1_000) / tasks).toFixed(1).padStart(8),
      String(calls).padStart(7),
      (rows / calls).toFixed(1).padStart(10),
      (walBytes / tasks).toFixed(0).padStart(11),
      ` ${statement.slice(0, 110)}`,
    ].join(' '),
  );
  return [head, ...lines].join('\n');
}
