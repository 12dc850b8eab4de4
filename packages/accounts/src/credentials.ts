import type { ServiceName } from '@baton/contracts';
import { encodeUser, fmtCreds, type User } from '@nats-io/jwt';
import { type AccountKeys, createUserKey, pairOf, publicKeyOf } from './keys.js';
import { probeBeat, servicePermissions, type Permissions } from './permissions.js';

/** What credentials of agents are signed with: the account, and a key that can sign nothing else. */
export type AgentIssuer = { readonly account: string; readonly seed: string };

/** The part of the keys that whoever enrols agents needs. */
export function agentIssuerOf(keys: AccountKeys): AgentIssuer {
  return { account: publicKeyOf(keys.agents), seed: keys.agentsSigning };
}

/** Credentials of one agent, as the text of a `.creds` file; valid until `expiresAt`. */
export async function agentCredentials(issuer: AgentIssuer, id: string, expiresAt: Date): Promise<string> {
  const user = createUserKey();
  const jwt = await encodeUser(
    id,
    user,
    pairOf(issuer.seed),
    { issuer_account: issuer.account },
    { scopedUser: true, exp: Math.floor(expiresAt.getTime() / 1_000) },
  );
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
