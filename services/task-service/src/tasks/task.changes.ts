import type { DomainError, JsonValue, ReplaceTask } from '@baton/contracts';

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
} & InputCheck;

export type ReopenCommand = {
  readonly kind: 'reopen';
  readonly taskId: string;
  readonly changes: TaskChanges;
} & InputCheck;

/** Why the type of the task does not take an input, where it has a schema for it. */
type InputCheck = { readonly refuseInput?: (input: JsonValue) => DomainError | undefined };

/** Whether the input a task is to have is one its type takes. */
export function refuseNewInput({ refuseInput }: InputCheck, { input }: TaskChanges): DomainError | undefined {
  return input === undefined ? undefined : refuseInput?.(input);
}
