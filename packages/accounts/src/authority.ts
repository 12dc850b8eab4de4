import { type AccountKeys, publicKeyOf } from './keys.js';

/** What task-service signs agents in with: a part of the keys, with which nobody can be made but agents. */
export type Authority = {
  /** The public key of the account of agents. */
  readonly account: string;
  /** The seed of the key that can sign nothing but agents. */
  readonly agentsSigning: string;
};

const SHAPE = { account: /^A[A-Z2-7]{55}$/, agentsSigning: /^SA[A-Z2-7]{56}$/ } as const;

/** The part of the keys that task-service gets, as the text of a file. */
export function authorityOf(keys: AccountKeys): string {
  const authority: Authority = { account: publicKeyOf(keys.agents), agentsSigning: keys.agentsSigning };
  return JSON.stringify(authority);
}

/** Whether a text is what `authorityOf` makes. */
export function isAuthority(text: string): boolean {
  try {
    const found = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    return Object.entries(SHAPE).every(([name, shape]) => {
      const value = found?.[name];
      return typeof value === 'string' && shape.test(value);
    });
  } catch {
    return false;
  }
}

/** The authority in a text for which `isAuthority` holds. */
export function readAuthority(text: string): Authority {
  return JSON.parse(text) as Authority;
}
