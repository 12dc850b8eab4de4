import type { Replica } from './replica.js';

/** The sum of a Prometheus metric of a process over all label sets that have these labels; 0 when there is none. */
export async function metricOf(
  { name, operationsUrl }: Pick<Replica, 'name' | 'operationsUrl'>,
  metric: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const response = await fetch(`${operationsUrl}/metrics`, { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`${name}: expected its metrics, got HTTP ${response.status}`);
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return (await response.text())
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
