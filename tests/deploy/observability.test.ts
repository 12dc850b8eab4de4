import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkoutDirectory } from '@baton/stack';
import { parse } from 'yaml';
import { readCompose } from './compose-file.js';
import { configOf, readDockerfile } from './dockerfile.js';
import { knownSeries, readAlerts, readDashboards, readKit, seriesIn } from './observability.js';

const alerts = readAlerts();
const dashboards = readDashboards();
const known = knownSeries();
const unknownIn = (expression: string) => seriesIn(expression).filter((name) => !known.has(name));
const services = ['task-service', 'distribution-service', 'metrics-service'];

describe('deploy/observability/alerts.yaml', () => {
  const operations = readFileSync(join(checkoutDirectory, 'docs/operations.md'), 'utf8');
  const runbooks = [...operations.matchAll(/^#### (Baton\w+)$/gm)].map(([, name]) => name);

  it('has one runbook for every alert, and every runbook an alert, in one order', () => {
    expect(runbooks).toEqual(alerts.map(({ alert }) => alert));
    expect(new Set(runbooks).size).toBe(runbooks.length);
  });

  it.each(alerts.map((rule) => [rule.alert, rule] as const))(
    'tells of %s all there is to know',
    (name, rule) => {
      expect(seriesIn(rule.expr)).not.toEqual([]);
      expect(unknownIn(rule.expr)).toEqual([]);
      expect(['critical', 'warning']).toContain(rule.labels.severity);
      expect(rule.annotations.summary).toMatch(/\S/);
      expect(rule.annotations.runbook_url).toBe(`docs/operations.md#${name.toLowerCase()}`);
    },
  );

  it.each(alerts.map(({ alert }) => alert))('says what %s means, where to look and what to do', (name) => {
    const [, text = ''] = operations.split(`\n#### ${name}\n`);
    const runbook = text.split(/\n#+ /, 1)[0] ?? '';
    expect(runbook).toMatch(/\n\*\*Means\*\* \S[^]*\n\*\*Look\*\* \S[^]*\n\*\*Do\*\* \S/);
  });
});

describe('the dashboards', () => {
  it('are those that were asked for, each found by an id of its own', () => {
    const names = ['agents', 'bus-and-storage', 'distribution', 'runtime', 'tasks'];
    expect(dashboards.map(([file]) => file)).toEqual(names.map((name) => `dashboard-${name}.json`));
    expect(dashboards.map(([, { uid }]) => uid)).toEqual(names.map((name) => `baton-${name}`));
    expect(new Set(dashboards.map(([, { title }]) => title)).size).toBe(names.length);
  });

  it.each(dashboards)('%s asks what exists, of the data source that is chosen', (_, dashboard) => {
    const { panels, templating } = dashboard;
    expect(templating.list).toContainEqual(
      expect.objectContaining({ name: 'datasource', type: 'datasource' }),
    );
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { title, datasource, targets } of panels) {
      for (const asked of [datasource, ...targets.map((target) => target.datasource)]) {
        expect([title, asked.uid]).toEqual([title, '${datasource}']);
      }
      expect([title, targets.flatMap(({ expr }) => unknownIn(expr))]).toEqual([title, []]);
      expect(targets.flatMap(({ expr }) => seriesIn(expr))).not.toEqual([]);
    }
  });
});

describe('the profile observability', () => {
  const { services: containers } = readCompose();

  it('holds the collector, Tempo, Prometheus and Grafana, and nothing else has a profile', () => {
    const withProfile = Object.entries(containers).filter(([, { profiles }]) => profiles !== undefined);
    expect(withProfile.map(([name]) => name)).toEqual(['otel-collector', 'tempo', 'prometheus', 'grafana']);
    for (const [, { profiles }] of withProfile) expect(profiles).toEqual(['observability']);
  });

  it('scrapes every replica of every service where it shows its figures', () => {
    const port = configOf(readDockerfile(), 'task-service').environment['BATON_OPERATIONS_PORT'];
    const { scrape_configs: jobs } = parse(readKit('prometheus.yaml')) as { scrape_configs: unknown };
    expect(jobs).toEqual(
      services.map((name) => ({
        job_name: name,
        dns_sd_configs: [{ names: [name], type: 'A', port: Number(port), refresh_interval: '5s' }],
      })),
    );
  });

  it('names only containers that there are, as addresses', () => {
    const files = ['collector.yaml', 'grafana/datasources/baton.yaml'];
    const hosts = files.flatMap((file) =>
      [...readKit(file).matchAll(/http:\/\/([\w-]+):/g)].map(([, host = '']) => host),
    );
    expect(hosts.toSorted()).toEqual(['prometheus', 'tempo', 'tempo']);
    expect(Object.keys(containers)).toEqual(expect.arrayContaining(hosts));
  });

  it('reads only files that there are', () => {
    const named = Object.values(containers).flatMap(({ command = [] }) =>
      command.flatMap((word) => /\/etc\/baton\/(\S+)$/.exec(word)?.[1] ?? []),
    );
    expect(named.toSorted()).toEqual(['collector.yaml', 'prometheus.yaml', 'tempo.yaml']);
    for (const file of named) expect(parse(readKit(file))).toBeInstanceOf(Object);
  });
});
