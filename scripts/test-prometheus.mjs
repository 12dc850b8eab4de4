// npm run test:prometheus: has Debian's promtool check the configuration, the alerts, what they fire for, and every
// query of the dashboards. It is taken from PATH, or fetched with apt into .baton; without it this fails.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';

const run = promisify(execFile);
const kit = 'deploy/observability';
const programs = '.baton/bin/prometheus';

const promtool = await findPromtool();
if (promtool === undefined) {
  process.stderr.write(
    'promtool is missing: it was looked for on PATH, and could not be fetched by "apt-get download prometheus" either. ' +
      'Install Prometheus 2.42 or later (Debian and Ubuntu: apt-get install prometheus), and run this again.\n',
  );
  process.exit(1);
}
const folder = await mkdtemp(join(tmpdir(), 'baton-prometheus-'));
try {
  await check('the configuration and the alerts', ['check', 'config', join(kit, 'prometheus.yaml')]);
  await refuseUntested();
  await check('what the alerts fire for', ['test', 'rules', join(kit, 'alerts.test.yaml')]);
  await check('the queries of the dashboards', ['check', 'rules', await queriesAsRules()]);
} catch (error) {
  process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? error.stack}\n`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function check(what, command) {
  await run(promtool, command);
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

/** promtool knows no dashboards, but it knows rules, each of which is a query too. */
async function queriesAsRules() {
  const files = (await readdir(kit)).filter((name) => name.endsWith('.json'));
  const dashboards = await Promise.all(
    files.map(async (name) => JSON.parse(await readFile(join(kit, name), 'utf8'))),
  );
  const targets = dashboards.flatMap(({ panels }) => panels.flatMap((panel) => panel.targets));
  const rules = targets.map(({ expr }, index) => ({
    record: `dashboards:query${index}`,
    expr: expr.replaceAll('$__rate_interval', '1m'),
  }));
  const file = join(folder, 'queries.json');
  await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboards', rules }] }));
  return file;
}

async function findPromtool() {
  for (const path of ['promtool', join(programs, 'promtool')]) {
    if (await answers(path)) return path;
  }
  const fetched = await mkdtemp(join(tmpdir(), 'baton-fetch-'));
  try {
    // As root apt would change to a user who may not write into our directory.
    await run('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', 'prometheus'], { cwd: fetched });
    const [archive] = await readdir(fetched);
    await run('dpkg-deb', ['-x', archive, 'unpacked'], { cwd: fetched });
    await mkdir(programs, { recursive: true });
    await cp(join(fetched, 'unpacked/usr/bin/promtool'), join(programs, 'promtool'));
  } catch (error) {
    process.stderr.write(`${error.stderr ?? error.message}\n`);
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
  return (await answers(join(programs, 'promtool'))) ? join(programs, 'promtool') : undefined;
}

function answers(path) {
  return run(path, ['--version']).then(
    () => true,
    () => false,
  );
}
