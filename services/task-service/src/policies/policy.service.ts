import type { Bus } from '@baton/bus';
import {
  BUILT_IN_POLICIES,
  BUILT_IN_VERSION,
  DEFAULT_POLICY,
  DomainError,
  HINT_SUBJECTS,
  LIMITS,
  POLICY_KINDS,
  POLICY_WEIGHTS,
  policyEntry,
  type PolicyView,
  type PutPolicy,
} from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import type { Caller } from '../tasks/task.service.js';
import { writeAudit } from '../write-path/audit.service.js';
import * as store from './policy.store.js';

/** Use cases of operators on the policies by which agents are chosen. */
export class PolicyService {
  constructor(
    private readonly pool: Pool,
    private readonly bus: Bus,
  ) {}

  /** All policies by name, those that nobody put among them. */
  async list(): Promise<readonly PolicyView[]> {
    const put = await store.findPolicies(this.pool);
    const names = new Set(put.map(({ name }) => name));
    const untouched = BUILT_IN_POLICIES.filter((name) => !names.has(name)).map(builtIn);
    return [...put, ...untouched].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  async get(name: string): Promise<PolicyView> {
    const found = (await this.list()).find((policy) => policy.name === name);
    if (found === undefined) throw new DomainError('POLICY_NOT_FOUND', `There is no policy ${name}`);
    return found;
  }

  /** Makes or replaces a policy; told to the distributors once committed. */
  async put(
    name: string,
    { kind, weights = POLICY_WEIGHTS[kind] }: PutPolicy,
    { actor, ifVersions }: Pick<Caller, 'actor' | 'ifVersions'>,
  ): Promise<{ readonly view: PolicyView; readonly isNew: boolean }> {
    const isNew = await inTransaction(this.pool, async (db) => {
      await store.lockPolicies(db);
      const put = await store.findPolicies(db);
      const own = put.find((policy) => policy.name === name);
      if (own === undefined && put.length >= LIMITS.policies) {
        const message = `${LIMITS.policies} policies were put, as many as may be; replace one of them`;
        throw new DomainError('TOO_MANY_POLICIES', message);
      }
      const before = own ?? (BUILT_IN_POLICIES.includes(name) ? builtIn(name) : undefined);
      if (ifVersions !== undefined && !ifVersions.includes(before?.version ?? 0)) {
        const is = before === undefined ? 'is not there' : `is at version ${before.version}`;
        const message = `The policy ${name} ${is}; If-Match names another`;
        throw new DomainError('VERSION_MISMATCH', message, { details: { version: before?.version ?? 0 } });
      }
      const version = (before?.version ?? 0) + 1;
      await store.savePolicy(db, { name, version, kind, weights: { ...weights }, updatedBy: actor });
      await writeAudit(db, [
        { actor, action: 'policy.put', subject: name, code: null, detail: { version, kind, weights } },
      ]);
      return before === undefined;
    });
    const view = await this.get(name);
    this.bus.publishHint(HINT_SUBJECTS.policy, policyEntry.parse(view));
    return { view, isNew };
  }

  /** Those of these names that are no policy. Asks the database only about names somebody must have put. */
  async unknown(names: readonly string[]): Promise<readonly string[]> {
    const others = names.filter((name) => !BUILT_IN_POLICIES.includes(name));
    if (others.length === 0) return [];
    const known = await store.findNames(this.pool, [...new Set(others)]);
    return others.filter((name) => !known.has(name));
  }
}

function builtIn(name: string): PolicyView {
  const kind =
    name === DEFAULT_POLICY ? 'weighted' : (POLICY_KINDS.find((one) => one === name) ?? 'weighted');
  const weights = { ...POLICY_WEIGHTS[kind] };
  return { name, version: BUILT_IN_VERSION, kind, weights, updatedAt: null, updatedBy: null };
}
