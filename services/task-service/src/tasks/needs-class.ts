import { hash } from 'node:crypto';
import type { CreateTask } from '@baton/contracts';

type Needs = Pick<CreateTask, 'type' | 'requiredCapabilities' | 'criteria'>;

const known = new Map<string, string>();
/** Distinct needs are few; a flood of made-up ones must not fill the memory. */
const KNOWN_LIMIT = 10_000;

/**
 * The backlog class of a task: equal for tasks of one type with the same required capabilities, agents and labels, so that
 * an agent that can take one of them can take any. 128 bits of SHA-256 over the needs in canonical order.
 */
export function needsClass({ type, requiredCapabilities, criteria }: Needs): string {
  const capabilities = requiredCapabilities
    .map(({ name, minLevel }) => `${name}>=${minLevel ?? 0}`)
    .toSorted();
  const { requiredAgents = [], requiredLabels } = criteria;
  const labels = Object.entries(requiredLabels ?? {}).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const parts = [type, capabilities, requiredAgents.toSorted(), ...(labels.length === 0 ? [] : [labels])];
  const canonical = JSON.stringify(parts);
  const found = known.get(canonical);
  if (found !== undefined) return found;
  const name = hash('sha256', canonical, 'base64url').slice(0, 22);
  if (known.size >= KNOWN_LIMIT) known.clear();
  known.set(canonical, name);
  return name;
}
