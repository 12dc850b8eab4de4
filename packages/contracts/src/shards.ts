/**
 * Agents are divided into this many shards, and the shards among the distributors that live: each shard has one owner
 * at a time, by lease. Never to be changed: old and new processes would divide the same agents differently.
 */
export const SHARDS = 64;

/** The shard an agent belongs to, from 0: the same in every language and version. */
export function shardOf(agentId: string): number {
  return hashOf(agentId) % SHARDS;
}

/** FNV-1a, 32 bit, over the characters of an ASCII word; from 0 to 2³² − 1. */
export function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < word.length; index += 1) {
    hash = Math.imul(hash ^ word.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
