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

/** With `merge` objects that only agents read are merged (RFC 7396), else replaced like all else. */
export type UpdateCommand = {
  readonly kind: 'update';
  readonly taskId: string;
  readonly changes: TaskChanges;
  readonly merge: boolean;
};

export type ReopenCommand = {
  readonly kind: 'reopen';
  readonly taskId: string;
  readonly changes: TaskChanges;
};
