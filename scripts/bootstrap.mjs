// Runs a script of this checkout after installing and building what is missing:
//   node scripts/bootstrap.mjs <script.js> [arguments]
// Without dependencies, and in a syntax that old versions of Node can read, so that they can be told
// which one is needed. Standard output belongs to the script; everything here goes to standard error.
// oxlint-disable unicorn/prefer-node-protocol -- Old versions of Node do not know it.
import { spawn } from 'child_process';
import { createHash } from 'crypto';
import fs from 'fs';
import path from 'path';
import { fileURLToPath, pathToFileURL } from 'url';

const oldestNode = [20, 19];
const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const installed = path.join(checkout, 'node_modules', '.baton-lock-hash');
const lock = path.join(checkout, '.baton', 'bootstrap.lock');
// The holder of the lock touches it every 2 s; this long after it was killed its npm has ended too, and
// a process that has its id now is another one.
const staleLockMs = 300000;

main().catch((error) => {
  say(error.advice || error.stack);
  process.exit(1);
});

async function main() {
  refuseOldNode();
  const script = process.argv[2];
  if (!script) throw problem('Usage: node scripts/bootstrap.mjs <script.js> [arguments]');
  const file = path.resolve(checkout, script);
  const obstacle = obstacleToWriting();
  if (!obstacle) await prepare();
  else if (!isInstalled() || !fs.existsSync(file)) {
    throw problem(
      `Installing and building write into ${checkout}, but that cannot be done (${obstacle}). Make it writable for ` +
        'this user, or free some space, and run the same command again; or copy the checkout to another place.',
    );
  }
  if (!fs.existsSync(file)) {
    throw problem(`${script} does not exist, although the build succeeded. Check the name of the script.`);
  }
  // In this very process: signals, the terminal and the exit code need no forwarding.
  process.argv.splice(1, 2, file);
  await import(pathToFileURL(file).href);
}

async function prepare() {
  const release = await takeLock();
  try {
    await installWhenNeeded();
    await build();
  } finally {
    release();
  }
}

// What was built before runs from a checkout that cannot be written.
function obstacleToWriting() {
  const probe = `${lock}.${process.pid}`;
  try {
    fs.mkdirSync(path.dirname(lock), { recursive: true });
    fs.writeFileSync(probe, 'probe');
    fs.unlinkSync(probe);
    return undefined;
  } catch (error) {
    return error.message;
  }
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw problem(
    `Baton needs Node ${oldestNode.join('.')} or later, but this is Node ${process.versions.node}. ` +
      'Install a newer one (https://nodejs.org, or "nvm install 22") and run the same command again.',
  );
}

async function installWhenNeeded() {
  if (isInstalled()) return;
  say('Installing dependencies (npm ci), which takes about a minute the first time');
  const started = Date.now();
  // Without the development dependencies there is no compiler, without the optional ones no Postgres.
  const options = ['--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const failure = await run(npmCommand(), ['ci', ...options]);
  if (failure) {
    throw problem(
      `npm ci ${failure} (its messages are above). It needs the npm registry: check the network, the proxy and ` +
        '"npm config get registry", and that node_modules belongs to this user; then run the same command again. ' +
        'On a machine without network, copy ' +
        'node_modules from one of the same system where "npm ci" has run.',
    );
  }
  fs.writeFileSync(installed, lockfileHash());
  say(`Installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

function isInstalled() {
  const record = path.join(checkout, 'node_modules', '.package-lock.json');
  if (!fs.existsSync(record)) return false;
  if (fs.existsSync(installed) && fs.readFileSync(installed, 'utf8') === lockfileHash()) return true;
  // npm itself has run since the lock file changed ("npm install" by hand): nothing is missing.
  const lockfile = path.join(checkout, 'package-lock.json');
  return fs.statSync(record).mtimeMs >= fs.statSync(lockfile).mtimeMs;
}

function lockfileHash() {
  const content = fs.readFileSync(path.join(checkout, 'package-lock.json'));
  return createHash('sha256').update(content).update(`${process.platform}-${process.arch}`).digest('hex');
}

async function build() {
  const isFirst = !fs.existsSync(path.join(checkout, 'packages', 'contracts', 'dist', 'index.js'));
  if (isFirst) say('Building (tsc -b)');
  const compiler = path.join(checkout, 'node_modules', 'typescript', 'bin', 'tsc');
  const failure = await run([process.execPath, compiler], ['-b', 'tsconfig.build.json']);
  if (failure)
    throw problem(`The build ${failure}; the errors are above. Mend them and run the same command again.`);
}

// The npm that runs this script when there is one, so that both are of the same version.
function npmCommand() {
  const npm = process.env.npm_execpath;
  if (npm && path.basename(npm) === 'npm-cli.js' && fs.existsSync(npm)) return [process.execPath, npm];
  return process.platform === 'win32' ? ['npm.cmd'] : ['npm'];
}

// Resolves to undefined when the program succeeds, else to words that say how it ended.
function run(command, rest) {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1).concat(rest), {
      cwd: checkout,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32' && command[0].endsWith('.cmd'),
    });
    // Should we be killed, the next start must wait for the child, which goes on without us.
    if (child.pid) fs.writeFileSync(lock, `${process.pid} ${child.pid}`);
    const stop = (signal) => child.kill(signal);
    const end = (failure) => {
      process.removeListener('SIGTERM', stop);
      resolve(failure);
    };
    // Ctrl-C reaches the child from the terminal; SIGTERM comes to us alone.
    process.on('SIGTERM', stop);
    child.on('error', (error) => end(`could not be started: ${error.message}`));
    child.on('exit', (code, signal) => {
      if (code === 0) return end(undefined);
      return end(signal ? `was ended by ${signal}` : `failed with exit code ${code}`);
    });
  });
}

// One bootstrap at a time in a checkout. Returns what gives the lock back.
async function takeLock() {
  let hasWaited = false;
  while (!tryLock()) {
    if (!hasWaited)
      say(`Waiting for another start in this checkout that installs or builds (${lockHolder()})`);
    hasWaited = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const touch = setInterval(() => fs.utimes(lock, new Date(), new Date(), () => undefined), 2000);
  const release = () => {
    clearInterval(touch);
    process.removeListener('exit', remove);
    remove();
  };
  process.on('exit', remove);
  return release;
}

function lockHolder() {
  let holder = '';
  try {
    holder = fs.readFileSync(lock, 'utf8').split(' ')[0];
  } catch {
    // It was given back in between.
  }
  return /^\d+$/.test(holder) ? `process ${holder}` : `if there is none, remove ${lock}`;
}

function tryLock() {
  try {
    fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    const seen = fs.readFileSync(lock, 'utf8');
    const isOld = Date.now() - fs.statSync(lock).mtimeMs > staleLockMs;
    if (isOld || seen.split(' ').every(isDead)) removeStale(seen);
  } catch (error) {
    // Its holder gave it back in between.
    if (error.code !== 'ENOENT') throw error;
  }
  return false;
}

function removeStale(seen) {
  // Moved aside and looked at again: another start may have replaced the stale lock by its own.
  const aside = `${lock}.${process.pid}`;
  fs.renameSync(lock, aside);
  if (fs.readFileSync(aside, 'utf8') !== seen) fs.linkSync(aside, lock);
  fs.unlinkSync(aside);
}

function isDead(pid) {
  // An empty file is one that is just being written.
  if (!pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function remove() {
  try {
    // After a long sleep of the machine it may be held by another.
    if (fs.readFileSync(lock, 'utf8').split(' ')[0] === String(process.pid)) fs.unlinkSync(lock);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function problem(advice) {
  return Object.assign(new Error(advice), { advice });
}

function say(line) {
  process.stderr.write(`baton: ${line}\n`);
}
