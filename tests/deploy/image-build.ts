import { spawn } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, posix } from 'node:path';
import { checkoutDirectory } from '@baton/stack';
import { filesOfContext } from './build-context.js';
import { configOf, readDockerfile, type ImageConfig, type Stage } from './dockerfile.js';

/** The file system of a stage: a folder in place of its root, and the directory commands run in. */
type Root = { readonly folder: string; readonly directory: string };

/** Images that were built without Docker: each stage is a folder, each command has really run in it. */
export type Images = {
  /** The working directory of a target, as this machine sees it. */
  readonly directoryOf: (target: string) => string;
  readonly configOf: (target: string) => ImageConfig;
  /** The folder with the image's Node as `node`. */
  readonly programs: string;
  readonly remove: () => Promise<void>;
};

/**
 * Carries out the Dockerfile: COPY from the checkout (what .dockerignore lets in) or an earlier stage, RUN by /bin/sh
 * with `node` first in the path. Commands may only name relative paths: absolute ones would be this machine's own.
 */
export async function buildImages(node: string): Promise<Images> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-image-'));
  // The services run as an ordinary user, who must be able to pass through.
  await chmod(folder, 0o755);
  const programs = join(folder, 'programs');
  await mkdir(programs);
  await copyFile(node, join(programs, 'node'));
  const stages = readDockerfile();
  const context = filesOfContext();
  const roots = new Map<string, Root>();
  for (const stage of stages) roots.set(stage.name, await carryOut(stage));

  return {
    directoryOf: (target) => inside(rootOf(target), '.'),
    configOf: (target) => configOf(stages, target),
    programs,
    remove: () => rm(folder, { recursive: true, force: true }),
  };

  async function carryOut({ name, from, instructions }: Stage): Promise<Root> {
    const base = roots.get(from);
    // A stage that only says how to run has the files of its base.
    if (base !== undefined && !instructions.some((one) => ['COPY', 'RUN', 'WORKDIR'].includes(one.name))) {
      return base;
    }
    let root: Root = { folder: join(folder, name), directory: base?.directory ?? '/' };
    if (base === undefined) await mkdir(root.folder);
    else await copyFiles(base.folder, root.folder);
    for (const instruction of instructions) {
      if (instruction.name === 'RUN') await run(instruction.rest, inside(root, '.'), programs);
      if (instruction.name === 'COPY') await copy(instruction.rest, root);
      if (instruction.name === 'WORKDIR') {
        root = { ...root, directory: instruction.rest };
        await mkdir(inside(root, '.'), { recursive: true });
      }
    }
    return root;
  }

  async function copy(text: string, root: Root): Promise<void> {
    const [, from, paths = ''] = /^(?:--from=(\S+)\s+)?(.*)$/.exec(text) ?? [];
    const sources = paths.split(/\s+/);
    const target = sources.pop() ?? '';
    for (const source of sources) {
      if (from === undefined) await copyFromContext(source, target, root);
      else await copyFiles(inside(rootOf(from), source), inside(root, target));
    }
  }

  async function copyFromContext(source: string, target: string, root: Root): Promise<void> {
    const files = context.filter((path) => path === source || path.startsWith(`${source}/`));
    if (files.length === 0) throw new Error(`COPY ${source}: .dockerignore keeps it out of the build`);
    for (const file of files) {
      // As in Docker, a folder's content is copied and not the folder itself.
      const name = file === source ? basename(file) : posix.relative(source, file);
      const path = file === source && !target.endsWith('/') ? target : posix.join(target, name);
      await mkdir(dirname(inside(root, path)), { recursive: true });
      await copyFile(join(checkoutDirectory, file), inside(root, path));
    }
  }

  function rootOf(stage: string): Root {
    const root = roots.get(stage);
    if (root === undefined) throw new Error(`the Dockerfile has no stage ${stage} before it is used`);
    return root;
  }
}

function inside({ folder, directory }: Root, path: string): string {
  return join(folder, posix.resolve(directory, path));
}

async function copyFiles(from: string, to: string): Promise<void> {
  if (!(await stat(from)).isDirectory()) throw new Error(`${from} should be a folder`);
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
}

/** What a RUN gets of this machine's environment: how to reach the npm registry. */
const inherited =
  /^(HOME|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|npm_config_(registry|cache|.*proxy)|https?_proxy|no_proxy)$/i;

function run(command: string, directory: string, programs: string): Promise<void> {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => inherited.test(name)),
  );
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], {
      cwd: directory,
      // What npm has in its cache need not be fetched again.
      env: { ...environment, PATH: `${programs}:${process.env['PATH']}`, npm_config_prefer_offline: 'true' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (text: Buffer): void => void (output += text.toString());
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve();
      reject(new Error(`RUN ${command}\nended with ${code}; it wrote:\n${output.slice(-4000)}`));
    });
  });
}
