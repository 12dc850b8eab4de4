import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TaskMetrics } from '@baton/contracts';
import { ADMIN_KEY, asAdmin, serviceLogin, type Nats } from '@baton/testkit';

const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** metrics-service as a process of its own, the built program. */
export type MetricsProcess = {
  readonly operationsUrl: string;
  /** Once it has started to serve; rejects with what it wrote when it ends before. */
  httpUrl(): Promise<string>;
  /** The status of `/readyz`; 0 when it does not answer. */
  readiness(): Promise<number>;
  report(query?: string): Promise<TaskMetrics>;
  /** The value of one sample of `/metrics`, such as `baton_tasks{status="queued"}`. */
  sample(name: string): Promise<number>;
  /** Sends the signal; resolves with the exit status, null when the signal ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
};

/** Starts it on free ports; resolves when its operations port answers. */
export async function startMetrics(options: {
  readonly databaseUrl: string;
  readonly nats: Nats;
}): Promise<MetricsProcess> {
  const child = spawn(process.execPath, ['--enable-source-maps', PROGRAM], {
    env: {
      ...process.env,
      DATABASE_URL: options.databaseUrl,
      ...serviceLogin(options.nats, 'metrics-service'),
      BATON_ADMIN_KEY: ADMIN_KEY,
      BATON_HTTP_PORT: '0',
      BATON_OPERATIONS_PORT: '0',
      BATON_LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const log = followLog(child);
  const operationsUrl = `http://127.0.0.1:${String((await log.line('operations port is open'))['port'])}`;
  const httpUrl = async () => String((await log.line('started'))['http']);
  return {
    operationsUrl,
    httpUrl,
    readiness: () =>
      fetch(`${operationsUrl}/readyz`).then(
        (response) => response.status,
        () => 0,
      ),
    report: async (query = 'window=all') => {
      const response = await fetch(`${await httpUrl()}/v1/metrics/tasks?${query}`, { headers: asAdmin });
      if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
      return (await response.json()) as TaskMetrics;
    },
    sample: async (name) => {
      const text = await (await fetch(`${operationsUrl}/metrics`)).text();
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
      if (line === undefined) throw new Error(`there is no sample ${name}`);
      return Number(line.slice(name.length + 1));
    },
    end: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill(signal);
        await exited;
      }
      return child.exitCode;
    },
  };
}

type LogLine = Readonly<Record<string, unknown>>;

function followLog(child: ChildProcess) {
  const lines: LogLine[] = [];
  const listeners = new Set<() => void>();
  const tell = () => listeners.forEach((listener) => listener());
  if (child.stdout === null) throw new Error('no output to read');
  createInterface(child.stdout).on('line', (text) => {
    lines.push(JSON.parse(text) as LogLine);
    tell();
  });
  child.once('exit', tell);
  return {
    /** The first line with this message, when it comes. */
    line: (message: string) =>
      new Promise<LogLine>((resolve, reject) => {
        const look = () => {
          const found = lines.find((line) => line['msg'] === message);
          if (found) resolve(found);
          else if (child.exitCode !== null) reject(new Error(`it ended: ${JSON.stringify(lines)}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
  };
}
