import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { checkoutDirectory } from '@baton/stack';
import { collectDefaultMetrics } from 'prom-client';
import { parse } from 'yaml';

/** An alert of alerts.yaml. */
export type Alert = {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
};

/** A dashboard of Grafana, as far as the tests look at it. */
export type Dashboard = {
  readonly uid: string;
  readonly title: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly datasource: { readonly uid: string };
    readonly targets: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
  }[];
};

type MetricType = 'Counter' | 'Gauge' | 'Histogram';

const require = createRequire(import.meta.url);
const folder = join(checkoutDirectory, 'deploy/observability');

/** A file of deploy/observability. */
export function readKit(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

/** The alerts, in their order. */
export function readAlerts(): readonly Alert[] {
  const { groups } = parse(readKit('alerts.yaml')) as {
    readonly groups: readonly { readonly rules: Alert[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

/** The dashboards, by the names of their files. */
export function readDashboards(): readonly (readonly [file: string, dashboard: Dashboard])[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.map((file) => [file, JSON.parse(readKit(file)) as Dashboard]);
}

/** The names of all time series the services can show: those their sources register, and those of every process. */
export function knownSeries(): ReadonlySet<string> {
  const registered = sources().flatMap((text) => [
    ...[...text.matchAll(/new (Counter|Gauge|Histogram)\(\{\s*name: '(\w+)'/g)].map(([, type, name]) =>
      seriesOf(type as MetricType, name ?? ''),
    ),
    ...[...text.matchAll(/\bbyType\(\s*'(\w+)'/g)].map(([, name]) => seriesOf('Counter', name ?? '')),
  ]);
  return new Set(['up', ...registered.flat(), ...seriesOfProcess()]);
}

/** The names of time series an expression reads: words that are neither functions, operators, labels nor texts. */
export function seriesIn(expression: string): readonly string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\boffset\s+\w+/g, ' ');
  const names = bare.matchAll(/\b[a-zA-Z_]\w*\b(?!\s*\()/g);
  const words = new Set(['and', 'or', 'unless', 'bool', 'sum', 'max', 'min']);
  return [...names].map(([name]) => name).filter((name) => !words.has(name));
}

function sources(): readonly string[] {
  return ['packages', 'services'].flatMap((kind) =>
    readdirSync(join(checkoutDirectory, kind)).flatMap((name) => {
      const source = join(checkoutDirectory, kind, name, 'src');
      return readdirSync(source, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
        .map((file) => readFileSync(join(source, file), 'utf8'));
    }),
  );
}

function seriesOf(type: MetricType, name: string): readonly string[] {
  return type === 'Histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

/** What the operations port collects of the process itself. */
function seriesOfProcess(): readonly string[] {
  const directory = join(require.resolve('prom-client'), '..', 'lib/metrics');
  return collectDefaultMetrics.metricsList.flatMap((name) => {
    const text = readFileSync(join(directory, `${name}.js`), 'utf8');
    return [...text.matchAll(/'((?:process|nodejs)_\w+)'/g)].flatMap(([, series = '']) => [
      series,
      `${series}_sum`,
    ]);
  });
}
