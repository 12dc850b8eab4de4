import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startProcess, type RunningProcess } from '@baton/stack';
import type { Images } from './image-build.js';

const run = promisify(execFile);

/** A service that runs from an image, as a container would run it. */
export type Container = {
  readonly process: RunningProcess;
  /** Runs the image's HEALTHCHECK once. */
  readonly isHealthy: () => Promise<boolean>;
};

/** Whom the user `node` is in the official images of Node; an ordinary user cannot become another. */
const nodeUser = process.getuid?.() === 0 ? { uid: 1000, gid: 1000 } : {};

/**
 * Starts a target with exactly the command of the image, with its ENV and `environment` as its whole environment,
 * as the user the image names.
 */
export async function startContainer(
  images: Images,
  target: string,
  environment: Readonly<Record<string, string>>,
): Promise<Container> {
  const { environment: own, command, healthcheck } = images.configOf(target);
  const [program = '', ...options] = command;
  const directory = images.directoryOf(target);
  const variables = { PATH: images.programs, ...own, ...environment };
  const service = await startProcess({
    name: target,
    command: program,
    arguments: options,
    directory,
    environment: variables,
    logFile: join(images.programs, 'logs', `${target}.log`),
    ...nodeUser,
  });
  const check = async (): Promise<boolean> => {
    const [asker = '', ...words] = healthcheck;
    return run(asker, words, { cwd: directory, env: variables, ...nodeUser }).then(
      () => true,
      () => false,
    );
  };
  return {
    process: service,
    isHealthy: async () => {
      if (service.hasExited()) throw new Error(`${target} ended; it wrote:\n${await service.lastLines()}`);
      return check();
    },
  };
}
