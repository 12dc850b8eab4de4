import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { checkoutState, findNatsServer, startEmbeddedPostgres } from '@baton/stack';

import { publishTestRun } from './test-run.js';

let stop = (): Promise<void> => Promise.resolve();

/** Starts the run's Postgres and finds the nats-server program, of which each test file starts its own. */
export async function startRunServers(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-test-'));
  // Postgres may run as another user, who must be able to pass through.
  await chmod(directory, 0o711);
  const [postgres, natsServer] = await Promise.all([
    startEmbeddedPostgres({
      directory: join(directory, 'postgres'),
      logFile: join(directory, 'postgres.log'),
      secretsFile: join(directory, 'secrets.json'),
      durability: 'throwaway',
    }),
    findNatsServer({
      environment: process.env,
      binaries: join(checkoutState, 'bin'),
      report: reportSlowSteps,
    }),
  ]);
  stop = async () => {
    await postgres.process.stop();
    await rm(directory, { recursive: true, force: true });
  };
  publishTestRun({ postgresUrl: postgres.superuserUrl, natsServer: natsServer.path, directory });
}

/** Stops the run's Postgres and removes what the run wrote. */
export function stopRunServers(): Promise<void> {
  return stop();
}

function reportSlowSteps(line: string): void {
  if (line.startsWith('Fetching')) console.error(line);
}
