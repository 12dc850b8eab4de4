// npm run on-node -- 24 npm test: runs any command with the newest Node of that major version first in its path.
// npm fetches it once, from the package of this system that the npm package "node" would install by a script.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './run-program.mjs';

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const [major = '', command, ...rest] = process.argv.slice(2);

try {
  if (!/^\d+$/.test(major) || command === undefined) {
    throw new Error('Usage: npm run on-node -- 24 npm test (a major version of Node, then any command)');
  }
  const node = await findNode();
  const path = `${dirname(node)}${delimiter}${process.env.PATH}`;
  process.exitCode = await runProgram(command, rest, { ...process.env, PATH: path });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function findNode() {
  // Beside nats-server, which "npm run reset" keeps as well.
  const folder = resolve(checkout, '.baton', 'bin', `node-${major}`);
  const name = packageName();
  const manifest = join(folder, 'node_modules', name, 'package.json');
  if (!existsSync(manifest)) await install(folder, `${name}@${major}`);
  return join(dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8')).bin.node);
}

async function install(folder, wanted) {
  process.stderr.write(`baton: fetching ${wanted} into ${folder}\n`);
  const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  const code = await runProgram('npm', ['install', '--silent', '--prefix', folder, ...flags, wanted]);
  if (code === 0) return;
  throw new Error(
    `npm could not install ${wanted} (exit code ${code}). It needs the npm registry, and a major version of Node ` +
      `that exists for ${process.platform} on ${process.arch}: check both, or put that Node into your path by hand.`,
  );
}

function packageName() {
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  return `${prefix}-${process.platform}-${process.arch}`;
}
