import { endTracing } from '@baton/telemetry';
import { createAgent, type Agent } from './agent.js';
import type { AgentOptions } from './options.js';

export type RunAgentOptions = AgentOptions & {
  /** How long running tasks may still take after SIGTERM or SIGINT before they are given back. Default: 30,000 ms. */
  readonly deadlineMs?: number;
};

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Makes an agent the purpose of this process: resolves when it is ready, drains it on SIGTERM or SIGINT and exits 0.
 * A second signal exits at once, and so does, with status 1, an agent that Baton refuses or that was replaced.
 */
export async function runAgent(options: RunAgentOptions): Promise<Agent> {
  const agent = createAgent(options);
  let stopping = false;

  function onSignal(signal: keyof typeof SIGNALS): void {
    if (stopping) process.exit(128 + SIGNALS[signal]);
    stopping = true;
    const { deadlineMs } = options;
    void agent.stop(deadlineMs === undefined ? {} : { deadlineMs });
  }

  for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.on(signal, onSignal);
  void agent.closed.then(
    () => exit(0),
    () => exit(1),
  );
  try {
    await agent.start();
  } catch (error) {
    if (!stopping) throw error;
    await agent.closed;
  }
  return agent;
}

async function exit(status: number): Promise<never> {
  await endTracing();
  process.exit(status);
}
