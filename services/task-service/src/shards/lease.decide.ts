/** A shard with who owned it last, whether that one lives or not, and how many owners it has had. */
export type ShardLease = { readonly shard: number; readonly owner: string | null; readonly epoch: number };

/** A lease to be given back: it is that of its owner, by this epoch, or not given back. */
type GivenBack = { readonly shard: number; readonly epoch: number };

/** What a distributor says of itself, as `svc.shard.lease` carries it. */
export type LeaseCall = {
  readonly instance: string;
  readonly release: readonly GivenBack[];
  readonly leaving: boolean;
};

export type LeaseDecision = {
  /** All, as they are from now on, and those of them that are to be written. */
  readonly leases: readonly ShardLease[];
  readonly changed: readonly ShardLease[];
  /** What the caller has beyond its share and is to give back when it has ceased to use it. */
  readonly release: readonly GivenBack[];
};

/**
 * What a call does to the leases, given the distributors that live, the caller among them unless it leaves. The
 * caller takes free shards and those of the dead until it has its share. One that has more keeps the rest until it
 * gives it back itself, so that no shard is ever believed in by two. The epoch is raised where the owner is another
 * one than before.
 */
export function decideLeases(
  leases: readonly ShardLease[],
  live: readonly string[],
  { instance, release, leaving }: LeaseCall,
): LeaseDecision {
  const given = leases.filter(
    (lease) => lease.owner === instance && (leaving || release.some((one) => isSame(one, lease))),
  );
  const kept = leases.filter((lease) => lease.owner === instance && !given.includes(lease));
  const freed = given.map(({ shard, epoch }) => ({ shard, epoch, owner: null }));
  if (leaving) return { leases: replace(leases, freed), changed: freed, release: [] };
  const share = shareOf(instance, live, leases.length);
  const taken = leases
    .filter(({ owner }) => owner === null || !live.includes(owner))
    .slice(0, Math.max(0, share - kept.length))
    .map(({ shard, epoch }) => ({ shard, epoch: epoch + 1, owner: instance }));
  const changed = [...freed, ...taken];
  return {
    leases: replace(leases, changed),
    changed,
    release: kept.slice(share).map(({ shard, epoch }) => ({ shard, epoch })),
  };
}

function isSame(one: GivenBack, other: GivenBack): boolean {
  return one.shard === other.shard && one.epoch === other.epoch;
}

function replace(leases: readonly ShardLease[], changed: readonly ShardLease[]): readonly ShardLease[] {
  const news = new Map(changed.map((lease) => [lease.shard, lease]));
  return leases.map((lease) => news.get(lease.shard) ?? lease);
}

/** The shares of all add up to all shards and differ by one at most. */
function shareOf(instance: string, live: readonly string[], shards: number): number {
  const rank = live.toSorted().indexOf(instance);
  return Math.floor(shards / live.length) + (rank < shards % live.length ? 1 : 0);
}
