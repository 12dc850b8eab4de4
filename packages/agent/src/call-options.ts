import type {
  CreatedTask,
  CreateGraphInput,
  CreateTaskInput,
  DependencyPolicy,
  JsonValue,
  TaskSort,
} from '@baton/contracts';

export type CreateOptions = {
  /** The same key with the same tasks creates them once, within 24 hours. */
  readonly idempotencyKey?: string;
};

export type UpdateOptions = {
  /** Refused with `VERSION_MISMATCH` when the task is at another version by then. */
  readonly version?: number;
};

/** Creates one task, several, or a graph of tasks that depend on each other: all or none. */
export type Create = {
  (task: CreateTaskInput, options?: CreateOptions): Promise<CreatedTask>;
  (
    tasks: readonly CreateTaskInput[] | CreateGraphInput,
    options?: CreateOptions,
  ): Promise<readonly CreatedTask[]>;
};

/** Which tasks to list: `q` as in `status:failed type:summary`; `cursor` is `page.next` of the page before. */
export type TaskQuery = {
  readonly q?: string;
  readonly sort?: TaskSort;
  readonly limit?: number;
  readonly cursor?: string;
  /** The tasks of the archive instead of the others, by creation. */
  readonly archived?: boolean;
};

/** What happens when the other task fails (`fail` unless said), and under which name its result is given. */
export type LinkOptions = { readonly policy?: DependencyPolicy; readonly name?: string };

/** How long to wait for a task to end: for as long as it takes when nothing is said. */
export type WaitOptions = { readonly timeoutMs?: number; readonly signal?: AbortSignal };

/** What is said to a task that asks; `attempt` has it refused when another attempt has asked since. */
export type Answer = { readonly attempt?: number } & (
  { readonly answer: JsonValue } | { readonly denied: true; readonly reason?: string }
);
