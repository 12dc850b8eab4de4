import { join } from 'node:path';

import { INBOX_PREFIX } from '@baton/contracts';
import type { NatsServer } from '@baton/stack';
import {
  connect,
  credsAuthenticator,
  type ConnectionOptions,
  type NatsConnection,
} from '@nats-io/transport-node';

/** A nats-server and the ways in. */
export type Nats = Pick<NatsServer, 'url' | 'access'>;

/** What an agent of the SDK is told to log in as itself. */
export function agentLogin({ url, access }: Nats, id: string) {
  return { servers: url, credentials: () => access.agent(id) };
}

/** The environment in which a service logs in as itself. */
export function serviceLogin({ url, access }: Nats, service: string): NodeJS.ProcessEnv {
  const file = (name: string) => join(access.directory, `${name}.creds`);
  const authority = join(access.directory, 'authority.json');
  return {
    NATS_URL: url,
    BATON_NATS_CREDENTIALS_FILE: file(service),
    ...(service === 'task-service' && { BATON_NATS_AUTHORITY_FILE: authority }),
    ...(service === 'distribution-service' && { BATON_NATS_PROBE_CREDENTIALS_FILE: file('probe') }),
  };
}

/** A plain connection of an agent, with its inbox. */
export async function connectAgent(
  { url, access }: Nats,
  id: string,
  options: ConnectionOptions = {},
): Promise<NatsConnection> {
  return connectWith(await access.agent(id), {
    servers: url,
    inboxPrefix: INBOX_PREFIX.agent(id),
    ...options,
  });
}

/**
 * A plain connection that may do everything in the services' account, and there alone. Services answer only where
 * services ask: its inbox is one of theirs.
 */
export async function connectOperator(
  { url, access }: Nats,
  options: ConnectionOptions = {},
): Promise<NatsConnection> {
  const inboxPrefix = INBOX_PREFIX.service('distribution-service');
  return connectWith(await access.operator(), { servers: url, inboxPrefix, ...options });
}

function connectWith(credentials: string, options: ConnectionOptions): Promise<NatsConnection> {
  return connect({ ...options, authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) });
}
