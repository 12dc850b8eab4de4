import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { keyHeader, startServices, startStack, type Session } from '@baton/stack';
import { fleet } from '../fleet.js';
import type { Repository } from '../git/repository.js';
import { startAgents } from './agents.js';
import { knownEpochs, runAudit, untilOnline } from './audit.js';
import type { Outcome } from './outcome.js';
import { restClient } from './rest.js';

/** A demo that has done its work and still runs. */
export type Demo = {
  readonly outcome: Outcome;
  readonly taskUrl: string;
  readonly metricsUrl: string;
  /** What lets curl in, as a word of a shell. */
  readonly keyHeader: string;
};

type Run = {
  readonly repository: Repository;
  /** Where state, logs and reports are kept. */
  readonly directory: string;
  readonly session: Session;
  readonly say: (line: string) => void;
};

/** The agent that is killed. */
export const victim = 'code-metrics-1';

const deadlineMs = 120_000;

/** Starts everything, has the repository audited, and leaves all running until the session ends. */
export async function runDemo({ repository, directory, session, say }: Run): Promise<Demo> {
  const startedAt = performance.now();
  const secondsSinceStart = () => (performance.now() - startedAt) / 1_000;
  const report = (line: string) => say(`  ${line}`);
  say('Starting Postgres, nats-server and the services');
  const stack = await startStack({ directory, report });
  session.onEnd(() => stack.stop());
  const services = await startServices({ stack, report, ports: 'free' });
  session.onEnd(() => services.stop());
  const taskUrl = services.get('task-service').httpUrl ?? '';
  const metricsUrl = services.get('metrics-service').httpUrl ?? '';

  const rest = restClient(taskUrl, stack.adminKey);
  const epochs = await knownEpochs(rest);
  const run = randomUUID();
  say(`Starting ${fleet.length} agents, each a process of its own`);
  const agents = await startAgents({ stack, victim: { id: victim, run } });
  session.onEnd(() => agents.stop());
  for (const [id, child] of agents.byId) report(`${id.padEnd(16)}(pid ${child.pid})`);

  const logs = join(directory, 'logs');
  const { signal, stop } = withDeadline(
    session.interrupted,
    `The audit did not end within ${deadlineMs / 1_000} s. The logs are in ${logs}.`,
  );
  const sayWhen = (line: string) => say(`  ${secondsSinceStart().toFixed(1).padStart(5)} s  ${line}`);
  const work = async () => {
    await untilOnline({ rest, signal }, epochs);
    say(`Auditing ${repository.path}`);
    const request = { run, repository, victim, reportPath: reportPath(directory, repository.name) };
    return runAudit(request, { rest, agents, signal, say: sayWhen });
  };
  const audit = await Promise.race([work(), agents.failure]).finally(stop);
  const outcome = { ...audit, seconds: Math.round(secondsSinceStart() * 10) / 10 };
  return { outcome, taskUrl, metricsUrl, keyHeader: keyHeader(stack) };
}

function withDeadline(interrupted: AbortSignal, message: string) {
  const deadline = new AbortController();
  const error = new Error(message);
  const timer = setTimeout(() => deadline.abort(error), deadlineMs);
  return { signal: AbortSignal.any([interrupted, deadline.signal]), stop: () => clearTimeout(timer) };
}

function reportPath(directory: string, name: string): string {
  const safeName = name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60);
  const when = new Date()
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/[-:]/g, '')
    .replace('T', '-');
  return join(directory, 'reports', `audit-${safeName}-${when}.md`);
}
