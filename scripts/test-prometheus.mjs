// npm run test:prometheus: has Debian's promtool check the configuration, the alerts and what they fire for, and a
// Prometheus scrape a running system and answer every query of the dashboards and alerts with data. Both programs are
// taken from PATH, or fetched with apt into .baton; without them this fails.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { askLive } from './prometheus/live.mjs';

const run = promisify(execFile);
const kit = 'deploy/observability';
const programs = '.baton/bin/prometheus';

const found = await findPrograms();
if (found === undefined) {
  process.stderr.write(
    'prometheus or promtool is missing: they were looked for on PATH, and could not be fetched by "apt-get download prometheus" either. ' +
      'Install Prometheus 2.42 or later (Debian and Ubuntu: apt-get install prometheus), and run this again.\n',
  );
  process.exit(1);
}
const folder = await mkdtemp(join(tmpdir(), 'baton-prometheus-'));
try {
  await check('the configuration and the alerts', ['check', 'config', join(kit, 'prometheus.yaml')]);
  await refuseUntested();
  await check('what the alerts fire for', ['test', 'rules', join(kit, 'alerts.test.yaml')]);
  const queries = await dashboardQueries();
  await askLive({ prometheus: found.prometheus, alertsFile: join(kit, 'alerts.yaml'), queries, folder });
  process.stdout.write('ok: every query of the dashboards and alerts, asked of a running system\n');
} catch (error) {
  process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? error.stack}\n`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function check(what, command) {
  await run(found.promtool, command);
  process.stdout.write(`ok: ${what}\n`);
}

/** An alert that no test sees firing could be one that never fires. */
async function refuseUntested() {
  const { groups } = parse(await readFile(join(kit, 'alerts.yaml'), 'utf8'));
  const tests = await readFile(join(kit, 'alerts.test.yaml'), 'utf8');
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  const untested = alerts.filter((alert) => !tests.includes(`alertname="${alert}"`));
  if (untested.length > 0)
    throw new Error(`alerts.test.yaml sees none of these fire: ${untested.join(', ')}`);
}

async function dashboardQueries() {
  const files = (await readdir(kit)).filter((name) => name.endsWith('.json'));
  const dashboards = await Promise.all(
    files.map(async (name) => JSON.parse(await readFile(join(kit, name), 'utf8'))),
  );
  const targets = dashboards.flatMap(({ panels }) => panels.flatMap((panel) => panel.targets));
  return targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '30s'));
}

async function findPrograms() {
  const onPath = await programsIn('');
  if (onPath !== undefined) return onPath;
  const kept = await programsIn(programs);
  if (kept !== undefined) return kept;
  const fetched = await mkdtemp(join(tmpdir(), 'baton-fetch-'));
  try {
    // As root apt would change to a user who may not write into our directory.
    await run('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', 'prometheus'], { cwd: fetched });
    const [archive] = await readdir(fetched);
    await run('dpkg-deb', ['-x', archive, 'unpacked'], { cwd: fetched });
    await mkdir(programs, { recursive: true });
    await cp(join(fetched, 'unpacked/usr/bin'), programs, { recursive: true });
  } catch (error) {
    process.stderr.write(`${error.stderr ?? error.message}\n`);
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
  return programsIn(programs);
}

async function programsIn(directory) {
  const [prometheus, promtool] = ['prometheus', 'promtool'].map((name) => join(directory, name));
  return (await answers(prometheus)) && (await answers(promtool)) ? { prometheus, promtool } : undefined;
}

function answers(path) {
  return run(path, ['--version']).then(
    () => true,
    () => false,
  );
}
