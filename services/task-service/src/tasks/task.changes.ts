import type { ReplaceTask } from '@baton/contracts';

type Given =
  | 'title'
  | 'description'
  | 'priority'
  | 'tags'
  | 'metadata'
  | 'requiredCapabilities'
  | 'preferredCapabilities'
  | 'criteria'
  | 'startTimeout'
  | 'maxRetries'
  | 'retryPolicy'
  | 'input'
  | 'context';
/** Durations in seconds, times in milliseconds of the epoch; null for none. */
type Limits =
  'availableAt' | 'deadline' | 'timeout' | 'queueTimeout' | 'progressTimeout' | 'estimatedDuration';

/** Fields of a task to be changed; those left out stay. */
export type TaskChanges = Readonly<Partial<Pick<ReplaceTask, Given> & Record<Limits, number | null>>>;
