import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  agentCredentials,
  agentIssuerOf,
  authorityOf,
  coreCredentials,
  createKeys,
  keyNames,
  probeCredentials,
  serviceCredentials,
  serviceNames,
  signAccounts,
  type AccountKeys,
  type SignedAccounts,
} from '@baton/accounts';

import { readJson, writeJson } from '../state/json-file.js';

/** The way into a nats-server of ours. Nothing gets in without credentials. */
export interface NatsAccess {
  /** What the server is told. */
  readonly accounts: SignedAccounts;
  /** Holds `<service>.creds`, readable by its owner alone; also `probe.creds`, for the distributors' beat, and `authority.json`, for task-service. */
  readonly directory: string;
  /** New credentials of an agent; for a day unless said. */
  agent(id: string, lifetimeMs?: number): Promise<string>;
  /** The same as `<id>.creds` in a folder, whose path it gives. */
  agentFiles(ids: readonly string[]): Promise<string>;
  /** New credentials that may do everything but act for an agent, for an operator's tools. */
  operator(): Promise<string>;
}

const dayMs = 86_400_000;

/** Makes the keys of a server's accounts in this directory, or takes those that are there, and writes credentials. */
export async function openNatsAccess(directory: string): Promise<NatsAccess> {
  const file = join(directory, 'keys.json');
  const keys = (await readJson<AccountKeys>(file, keyNames)) ?? (await makeKeys(file));
  const credentials = join(directory, 'credentials');
  await mkdir(credentials, { recursive: true, mode: 0o700 });
  for (const name of serviceNames) {
    await writeSecret(join(credentials, `${name}.creds`), await serviceCredentials(keys, name));
  }
  await writeSecret(join(credentials, 'probe.creds'), await probeCredentials(keys));
  await writeSecret(join(credentials, 'authority.json'), authorityOf(keys));
  const agent = (id: string, lifetimeMs = dayMs): Promise<string> =>
    agentCredentials(agentIssuerOf(keys), id, new Date(Date.now() + lifetimeMs));
  return {
    accounts: await signAccounts(keys),
    directory: credentials,
    agent,
    agentFiles: async (ids) => {
      const folder = join(credentials, 'agents');
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const id of ids) await writeSecret(join(folder, `${id}.creds`), await agent(id));
      return folder;
    },
    operator: () => coreCredentials(keys),
  };
}

async function makeKeys(file: string): Promise<AccountKeys> {
  const keys = createKeys();
  await writeJson(file, keys);
  return keys;
}

/** Whoever reads it meanwhile gets the old or the new. */
async function writeSecret(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, file);
}
