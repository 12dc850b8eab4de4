import { leaseRequest, SHARDS, shardOf, type LeaseAnswer } from '@baton/contracts';

/** Leases of shards, kept in memory. */
export type ScriptedLeases = {
  /** Answers a lease call, or not at all while nobody is to be answered. */
  answer(body: unknown): LeaseAnswer | undefined;
  /** Who owns the shard of an agent now. */
  ownerOf(agentId: string): string | null;
  epochOf(agentId: string): number;
  /** How many shards each living distributor owns. */
  counts(): readonly number[];
  /** Whether calls are answered from now on. */
  answering(answers: { readonly with: 'leases' | 'nothing' }): void;
  /** The shard of an agent goes to a distributor that is not there. */
  steal(agentId: string): void;
};

const NOBODY = '00000000-0000-4000-8000-000000000000';
const LEASE_MS = 3_000;

/** Shares the shards among those that call, as task-service does. */
export function scriptLeases(): ScriptedLeases {
  const shards: { readonly shard: number; owner: string | null; epoch: number }[] = Array.from(
    { length: SHARDS },
    (_, shard) => ({ shard, owner: null, epoch: 0 }),
  );
  const lives = new Map<string, number>();
  let silent = false;
  const isAlive = (owner: string | null) => owner !== null && (lives.get(owner) ?? 0) > performance.now();
  const leaseOf = (agentId: string) => shards[shardOf(agentId)] ?? { owner: null, epoch: 0 };

  return {
    answer(body) {
      if (silent) return undefined;
      const { instance, release, leaving } = leaseRequest.parse(body);
      if (leaving) lives.delete(instance);
      else lives.set(instance, performance.now() + LEASE_MS);
      const own = () => shards.filter((lease) => lease.owner === instance);
      for (const lease of own())
        if (leaving || release.some((one) => one.shard === lease.shard && one.epoch === lease.epoch))
          lease.owner = null;
      const living = [...lives.keys()].filter(isAlive).toSorted();
      const rank = living.indexOf(instance);
      const share = Math.floor(SHARDS / living.length) + (rank < SHARDS % living.length ? 1 : 0);
      for (const lease of shards) {
        if (leaving || own().length >= share || isAlive(lease.owner)) continue;
        if (lease.owner !== instance) Object.assign(lease, { owner: instance, epoch: lease.epoch + 1 });
      }
      const answered = shards.map((lease) => ({
        ...lease,
        owner: isAlive(lease.owner) ? lease.owner : null,
      }));
      const excess = leaving ? [] : own().slice(share);
      return {
        leaseMs: LEASE_MS,
        shards: answered,
        release: excess.map(({ shard, epoch }) => ({ shard, epoch })),
      };
    },
    ownerOf: (agentId) => (isAlive(leaseOf(agentId).owner) ? leaseOf(agentId).owner : null),
    epochOf: (agentId) => leaseOf(agentId).epoch,
    counts: () =>
      [...lives.keys()]
        .filter(isAlive)
        .map((instance) => shards.filter((lease) => lease.owner === instance).length),
    answering: (answers) => void (silent = answers.with === 'nothing'),
    steal(agentId) {
      lives.set(NOBODY, Number.POSITIVE_INFINITY);
      const lease = leaseOf(agentId);
      Object.assign(lease, { owner: NOBODY, epoch: lease.epoch + 1 });
    },
  };
}
