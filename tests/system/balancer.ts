import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@baton/testkit';
import type { Replica } from './replica.js';

/** Knows which replicas of a service want traffic, as a load balancer does. */
export type Balancer = {
  /** The HTTP addresses of those that were ready when last asked. */
  urls(): readonly string[];
  /** Resolves once traffic goes to that replica, at once for one of another service. */
  finds(replica: Replica): Promise<void>;
  stop(): Promise<void>;
};

/** How often a replica is asked; one that begins to stop goes on serving for longer than that. */
const ASK_MS = 50;

/** Asks each replica again and again; resolves when each was asked once. */
export async function startBalancer(replicas: readonly Replica[]): Promise<Balancer> {
  const ready = new Set<Replica>();
  const stopped = new AbortController();
  const ask = async (replica: Replica): Promise<void> => {
    if (await isReady(replica)) ready.add(replica);
    else ready.delete(replica);
  };
  const watch = async (replica: Replica): Promise<void> => {
    while (!stopped.signal.aborted) {
      await delay(ASK_MS);
      await ask(replica);
    }
  };
  await Promise.all(replicas.map(ask));
  const watching = replicas.map(watch);
  return {
    urls: () => [...ready].map(({ httpUrl }) => httpUrl ?? ''),
    finds: async (replica) => {
      if (replicas.includes(replica)) await until(() => ready.has(replica));
    },
    stop: async () => {
      stopped.abort();
      await Promise.all(watching);
    },
  };
}

async function isReady({ operationsUrl }: Replica): Promise<boolean> {
  try {
    const { status } = await fetch(`${operationsUrl}/readyz`, { signal: AbortSignal.timeout(1_000) });
    return status === 200;
  } catch {
    return false;
  }
}
