/** Injection token of the hot path's connection pool, which has no class of its own. */
export const POOL = Symbol('pool');
