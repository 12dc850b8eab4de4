import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createAgent, TaskFailure } from '@baton/agent';
import { findFreePort, startServices } from '@baton/stack';
import { agentLogin, asAdmin, startTestStack } from '@baton/testkit';

/** What has no series before something goes wrong, or before there is a second distributor or an old task. */
const QUIET = [
  'baton_audit_suppressed_total',
  'baton_distribution_assign_conflicts_total',
  'baton_distribution_passed_on_total',
  'baton_archive_months',
  'code!="ok"',
];
const PATIENCE_MS = 120_000;

/**
 * Has a Prometheus scrape a whole system with work in it until it has data for all of `queries`, and for each metric
 * of the alerts; throws with those that stay without, or when a rule cannot be evaluated.
 */
export async function askLive({ prometheus, alertsFile, queries, folder }) {
  const ends = [];
  try {
    const stack = await startTestStack();
    ends.push(() => stack.stop());
    const services = await startServices({ stack, ports: 'free' });
    ends.push(() => services.stop());
    let end;
    const ended = new Promise((settle) => (end = () => settle('done')));
    const handler = (task) => work(task, ended);
    const agent = createAgent({
      id: 'worker',
      maxConcurrent: 4,
      handler,
      ...agentLogin(stack.nats, 'worker'),
    });
    ends.push(() => agent.stop({ mode: 'leave' }), end);
    await agent.start();
    await create(services.get('task-service').httpUrl, 'stays');
    const url = await startPrometheus({ prometheus, alertsFile, services, folder, ends });
    await untilAnswered({ url, queries, api: services.get('task-service').httpUrl });
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}

function work({ title }, ended) {
  if (title === 'fails') throw new TaskFailure('unlucky', 'as it was asked to');
  return title === 'stays' ? ended : 'done';
}

async function startPrometheus({ prometheus, alertsFile, services, folder, ends }) {
  const address = `127.0.0.1:${await findFreePort()}`;
  const file = join(folder, 'prometheus.json');
  const jobs = services.list.map(({ name, operationsUrl }) => ({
    job_name: name,
    static_configs: [{ targets: [new URL(operationsUrl).host] }],
  }));
  const global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
  await writeFile(file, JSON.stringify({ global, rule_files: [resolve(alertsFile)], scrape_configs: jobs }));
  const flags = [`--config.file=${file}`, `--storage.tsdb.path=${folder}/data`];
  const child = spawn(prometheus, [...flags, `--web.listen-address=${address}`], { stdio: 'ignore' });
  ends.push(async () => {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.kill()) await ended;
  });
  return `http://${address}`;
}

async function untilAnswered({ url, queries, api }) {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    await giveWork(api);
    await delay(1000);
    const found = await unanswered(url, queries).catch((error) => [error.message]);
    if (found.length === 0) return;
    if (performance.now() > deadline) throw new Error(`without data:\n  ${found.join('\n  ')}`);
  }
}

async function giveWork(api) {
  await create(api, 'works');
  await create(api, 'fails');
  await fetch(`${api}/v1/tasks/no-such-task`, { headers: asAdmin });
}

async function create(api, title) {
  const headers = { ...asAdmin, 'content-type': 'application/json' };
  await fetch(`${api}/v1/tasks`, { method: 'POST', headers, body: JSON.stringify({ title }) });
}

async function unanswered(url, queries) {
  const { groups } = await ask(`${url}/api/v1/rules`);
  const rules = groups.flatMap((group) => group.rules);
  if (rules.length === 0) return ['no rules are loaded'];
  const sick = rules.filter(({ health }) => health !== 'ok').map(({ name, health }) => `${name}: ${health}`);
  const metrics = rules.flatMap(({ query }) => query.match(/\b(?:baton|nodejs)_\w+|\bup\b/g) ?? []);
  const wanted = [...new Set([...metrics, ...queries])].filter(
    (query) => !QUIET.some((name) => query.includes(name)),
  );
  const empty = [];
  for (const query of wanted) {
    const { result } = await ask(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
    if (result.length === 0) empty.push(query);
  }
  return [...sick, ...empty];
}

async function ask(address) {
  const { status, data, error } = await (await fetch(address)).json();
  if (status !== 'success') throw new Error(error);
  return data;
}
