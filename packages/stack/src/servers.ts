import { join } from 'node:path';

import type { NatsAccess } from './nats/access.js';
import { findNatsServer } from './nats/find-nats-server.js';
import { startNatsServer } from './nats/nats-server.js';
import { checkOwnNats } from './nats/own-nats.js';
import { portFromEnvironment } from './ports.js';
import { startEmbeddedPostgres } from './postgres/embedded-postgres.js';
import { checkOwnPostgres, withoutPassword } from './postgres/own-postgres.js';
import type { Durability } from './postgres/server-flags.js';
import type { RunningProcess } from './process/start-process.js';
import { readSecret } from './settings.js';
import type { AdminKey } from './state/admin-key.js';
import type { RunRecord } from './state/run-record.js';
import type { StateDirectory } from './state/state-directory.js';

/** A server of a stack. */
export interface Part {
  /** What runs where, without its process id, which changes when it is started again. */
  readonly description: string;
  /** What was started here; undefined for a server of the user's own. */
  readonly own?: {
    readonly process: RunningProcess;
    readonly startAgain: () => Promise<RunningProcess>;
  };
}

export interface PostgresPart extends Part {
  readonly url: string;
  readonly metricsUrl: string;
  readonly superuserUrl?: string;
  readonly port?: number;
}

export interface NatsPart extends Part {
  readonly url: string;
  readonly access?: NatsAccess;
  readonly port?: number;
}

/** What a start goes by. */
export interface Context {
  readonly state: StateDirectory;
  readonly binaries: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly durability: Durability;
  readonly report: (line: string) => void;
  readonly track: RunRecord['track'];
  readonly admin: AdminKey;
  readonly remembered: { readonly postgres?: number; readonly nats?: number };
}

/** Starts the embedded Postgres, or checks the one of DATABASE_URL. */
export async function startPostgres(context: Context): Promise<PostgresPart> {
  const { environment, state, report } = context;
  const url = readSecret(environment, 'DATABASE_URL');
  if (url !== undefined) {
    const variable = 'BATON_METRICS_DATABASE_URL';
    const metricsUrl = readSecret(environment, variable) ?? url;
    const isShared = metricsUrl === url;
    const { version, clockWarning } = await checkOwnPostgres({
      url,
      variable: 'DATABASE_URL',
      purposes: isShared ? ['tables', 'metrics'] : ['tables'],
    });
    if (!isShared) await checkOwnPostgres({ url: metricsUrl, variable, purposes: ['metrics'] });
    const description = `Postgres ${version} of DATABASE_URL: ${withoutPassword(url)}`;
    report(description);
    if (clockWarning !== undefined) report(clockWarning);
    return { url, metricsUrl, description };
  }
  const server = await startEmbeddedPostgres({
    directory: state.postgres,
    logFile: join(state.logs, 'postgres.log'),
    secretsFile: state.secretsFile,
    port: {
      configured: portFromEnvironment(environment, 'BATON_POSTGRES_PORT'),
      remembered: context.remembered.postgres,
    },
    durability: context.durability,
    report,
    track: context.track,
  });
  return { ...server, own: server, description: `Postgres: ${withoutPassword(server.url)}` };
}

/** Starts the embedded nats-server, or checks the one of NATS_URL. */
export async function startNats(context: Context): Promise<NatsPart> {
  const { environment, state, report } = context;
  const url = environment['NATS_URL'];
  if (url !== undefined && url !== '') {
    const description = `nats-server ${await checkOwnNats(url)} of NATS_URL`;
    report(description);
    return { url, description };
  }
  const program = await findNatsServer({ environment, binaries: context.binaries, report });
  const server = await startNatsServer({
    program: program.path,
    directory: state.nats,
    logFile: join(state.logs, 'nats-server.log'),
    port: {
      configured: portFromEnvironment(environment, 'BATON_NATS_PORT'),
      remembered: context.remembered.nats,
    },
    durability: context.durability,
    report,
    track: context.track,
  });
  return { ...server, own: server, description: `nats-server ${program.version}: ${server.url}` };
}
