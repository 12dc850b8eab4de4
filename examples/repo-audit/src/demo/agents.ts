import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess, type RunningProcess, type Stack } from '@baton/stack';
import { fleet } from '../fleet.js';

/** The agents of the demo as processes of their own. */
export type AgentProcesses = {
  readonly byId: ReadonlyMap<string, RunningProcess>;
  /** Rejects when one ends that was not killed by the demo; says what it wrote last. */
  readonly failure: Promise<never>;
  /** Kills one without warning (SIGKILL); resolves when it is gone. */
  kill(id: string): Promise<void>;
  /** Lets all drain and end. */
  stop(): Promise<void>;
};

type Start = {
  readonly stack: Pick<Stack, 'directory' | 'natsUrl' | 'nats' | 'track'>;
  /** The agent that holds its first result of this run back, for the demo to kill. */
  readonly victim: { readonly id: string; readonly run: string };
};

const program = fileURLToPath(new URL('../agent.js', import.meta.url));

/** Starts every agent of the fleet. */
export async function startAgents({ stack, victim }: Start): Promise<AgentProcesses> {
  const expected = new Set<string>();
  const byId = new Map<string, RunningProcess>();
  const stop = async (): Promise<void> => {
    for (const id of byId.keys()) expected.add(id);
    await Promise.all([...byId.values()].map((child) => child.stop()));
  };
  try {
    const credentials = await stack.nats?.access.agentFiles(fleet.map(({ id }) => id));
    for (const { id } of fleet) {
      const child = await startProcess({
        name: `agent ${id}`,
        command: process.execPath,
        arguments: ['--enable-source-maps', program, id],
        environment: {
          ...process.env,
          NATS_URL: stack.natsUrl,
          BATON_NATS_CREDENTIALS_FILE: credentials,
          AUDIT_HOLD_BACK: id === victim.id ? victim.run : undefined,
        },
        logFile: join(stack.directory, 'logs', `agent-${id}.log`),
      });
      byId.set(id, child);
      await stack.track(child);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const failure = Promise.race([...byId].map(([id, child]) => unexpectedEnd(child, () => expected.has(id))));
  // Nobody may be listening any more when the demo stays up.
  failure.catch(() => undefined);
  return {
    byId,
    failure,
    stop,
    async kill(id) {
      expected.add(id);
      const child = byId.get(id);
      child?.signal('SIGKILL');
      await child?.exited;
    },
  };
}

async function unexpectedEnd(child: RunningProcess, isExpected: () => boolean): Promise<never> {
  const { code, signal } = await child.exited;
  if (isExpected()) return new Promise<never>(() => undefined);
  const lines = await child.lastLines();
  const wrote = lines === '' ? 'It wrote nothing.' : `It wrote:\n${lines}`;
  const how = signal ?? `exit code ${code}`;
  throw new Error(
    `${child.name} ended (${how}) in the middle of the demo. ${wrote}\nIts log is ${child.logFile}.`,
  );
}
