import type { ServiceName } from '@baton/contracts';
import { fromPublic } from '@nats-io/nkeys';
import { encodeUser, fmtCreds, type User } from '@nats-io/jwt';
import { type AccountKeys, createUserKey, pairOf, publicKeyOf } from './keys.js';
import { probeBeat, servicePermissions, type Permissions } from './permissions.js';

/** What credentials of agents are signed with: the account, and a key that can sign nothing else. */
export type AgentIssuer = { readonly account: string; readonly seed: string };

/** The part of the keys that whoever enrols agents needs. */
export function agentIssuerOf(keys: AccountKeys): AgentIssuer {
  return { account: publicKeyOf(keys.agents), seed: keys.agentsSigning };
}

/** Signs that a key is an agent's: a user JWT, valid until `expiresAt` (to the second below). */
export type AgentSigner = (id: string, publicKey: string, expiresAt: Date) => Promise<string>;

/** Makes a signer; its key is worked out once, here. Throws for a seed that is none. */
export function createAgentSigner({ account, seed }: AgentIssuer): AgentSigner {
  const signer = pairOf(seed);
  return (id, publicKey, expiresAt) =>
    encodeUser(
      id,
      publicKey,
      signer,
      { issuer_account: account },
      { scopedUser: true, exp: Math.floor(expiresAt.getTime() / 1_000) },
    );
}

/** Whether it is the public key of a user, its check sum included. */
export function isUserKey(publicKey: string): boolean {
  try {
    return publicKey.startsWith('U') && fromPublic(publicKey).getPublicKey() === publicKey;
  } catch {
    return false;
  }
}

/** Credentials of one agent with a new key, as the text of a `.creds` file; valid until `expiresAt`. */
export async function agentCredentials(issuer: AgentIssuer, id: string, expiresAt: Date): Promise<string> {
  const user = createUserKey();
  const jwt = await createAgentSigner(issuer)(id, user.getPublicKey(), expiresAt);
  return textOf(fmtCreds(jwt, user));
}

/** Credentials of a service in CORE, without an end: they are replaced by a start with new ones. */
export function serviceCredentials(keys: AccountKeys, name: ServiceName): Promise<string> {
  return userCredentials(keys.core, name, servicePermissions(name));
}

/** Credentials of the distributors' probe in AGENTS: it publishes their beat and hears nothing. */
export function probeCredentials(keys: AccountKeys): Promise<string> {
  return userCredentials(keys.agents, 'probe', { publish: [probeBeat], subscribe: [] });
}

/** Credentials without bounds in CORE, for tools of an operator and for tests. */
export function coreCredentials(keys: AccountKeys): Promise<string> {
  return userCredentials(keys.core, 'operator', { publish: ['>'], subscribe: ['>'] });
}

async function userCredentials(
  account: string,
  name: string,
  { publish, subscribe }: Permissions,
): Promise<string> {
  const user = createUserKey();
  const rights: Partial<User> = {
    pub: { allow: [...publish] },
    // Without a list a user may subscribe to everything.
    sub: subscribe.length === 0 ? { deny: ['>'] } : { allow: [...subscribe] },
    subs: -1,
    data: -1,
    payload: -1,
    allowed_connection_types: ['STANDARD'],
  };
  return textOf(fmtCreds(await encodeUser(name, user, pairOf(account), rights), user));
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
