import type { CreateTaskInput } from '@baton/contracts';

/** What the benchmark's tasks ask for and its agents have. */
export const skill = 'no-op';

/** The type of the tasks whose start is timed. */
export const timedType = 'bench.timed';

/** A task of the closed loop, as small as they come. */
export const plainTask = {
  type: 'bench.plain',
  title: 'No-op',
  requiredCapabilities: [{ name: skill }],
} satisfies CreateTaskInput;

/** A task of the open loop. */
export const timedTask = { ...plainTask, type: timedType } satisfies CreateTaskInput;

/** The ids of so many agents. */
export function agentIds(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `bench-${index + 1}`);
}
