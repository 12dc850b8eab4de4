import type { SignedAccounts } from '@baton/accounts';

import type { Durability } from '../postgres/server-flags.js';

/** What the configuration of a nats-server depends on. */
export interface NatsServerSettings {
  readonly port: number;
  /** Where JetStream keeps its files. */
  readonly storeDirectory: string;
  readonly durability: Durability;
  readonly accounts: SignedAccounts;
}

/** The configuration file of the embedded nats-server. */
export function natsServerConfig({ port, storeDirectory, durability, accounts }: NatsServerSettings): string {
  const sync = durability === 'durable' ? 'always' : '"2m"';
  return `# Written at every start; changes are lost.
server_name: baton
listen: "127.0.0.1:${port}"

# A batch of events is up to 512 KiB and an agent's message up to 256 KiB; a task's context and the
# results of its dependencies travel together in one offer. 8 MiB is the most nats-server recommends.
max_payload: 8388608

# Nobody gets in without credentials of one of these accounts.
operator: ${accounts.operator}
system_account: ${accounts.system}
resolver: MEMORY
resolver_preload: {
${Object.entries(accounts.accounts)
  .map(([key, jwt]) => `  ${key}: ${jwt}`)
  .join('\n')}
}

# A client on a machine with too much to do may take longer than the 2 s that it has by default.
authorization {
  timeout: 10
}

jetstream {
  store_dir: ${JSON.stringify(storeDirectory)}
  max_file_store: 8589934592
  max_memory_store: 268435456
  # Without it a crash of the machine loses up to two minutes of acknowledged messages.
  sync_interval: ${sync}
}
`;
}
