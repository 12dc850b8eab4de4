import {
  agentId,
  parse,
  usage,
  type Artifact,
  type Block,
  type ChildResult,
  type ConnectedAgent,
  type DependencyResult,
  type JsonValue,
  type LogLevel,
  type OfferedTask,
  type PreviousAttempt,
  type ReportVerb,
  type TaskDetail,
  type TaskQuestion,
  type TaskStatus,
  type Usage,
} from '@baton/contracts';
import { activeTraceparent } from '@baton/telemetry';
import { BlockTask, ReturnTask, type ReturnReason } from './errors.js';
import type { Create, CreateOptions } from './call-options.js';
import type { Calls } from './calls.js';
import type { ProgressReport } from './progress.js';
import type { Run } from './runs.js';

/** What a handler has besides its task. */
export type TaskContext = {
  /** Aborted when the work is no longer wanted; its `reason` is a `TaskAborted`. */
  readonly signal: AbortSignal;
  readonly attempt: number;
  readonly dependencyResults: readonly DependencyResult[];
  /** How the children of this task stand, once it has some; detached ones are left out. */
  readonly childResults: readonly ChildResult[];
  /** What earlier attempts asked and were told, the latest last. */
  readonly questions: readonly TaskQuestion[];
  /** How earlier attempts ended, the latest last. */
  readonly previousAttempts: readonly PreviousAttempt[];
  /** What an earlier attempt saved last to go on from; null when there is nothing. */
  readonly checkpoint: JsonValue | null;
  /** The result of the dependency with this name or task id; throws if there is none. */
  dependency(name: string): DependencyResult;
  /** 0 to 100. Sent at most four times a second, the latest wins. */
  progress(percent: number, message?: string): void;
  /** Writes a line (the first 2,000 characters of it) into the log of the task, which keeps the first 2,000 lines. */
  log(message: string, level?: LogLevel): void;
  /**
   * Tells where something is that the task made; one of the same name is replaced. Rejects with a `DomainError` when
   * Baton does not take it.
   */
  saveArtifact(artifact: Artifact): Promise<void>;
  /**
   * Saves how far the work is, as JSON of at most 256 KiB: whichever agent tries the task next finds it as `checkpoint`,
   * the latest alone. Null: there is nothing to go on from any more. Rejects likewise.
   */
  saveCheckpoint(value: unknown): Promise<void>;
  /**
   * Creates children of this task. Without a key of the caller's own, the n-th call finds what the n-th call of an
   * earlier attempt created.
   */
  readonly spawn: Create;
  get(taskId: string): Promise<TaskDetail>;
  /**
   * Ends the handler and gives its slot away until this has happened: children have ended (all, any, or so many), or
   * somebody has answered a question. Then the handler is called anew, by whichever agent gets the task, with
   * `childResults` and `questions`.
   */
  block(wait: Block): never;
  /** What this attempt has used up so far, all of it each time. Told with the next progress, or the end. */
  usage(used: Partial<Usage>): void;
  /** The agents this one is connected to, whom it may hand work on to, with what they can do and room they have. */
  agents(capability?: string): Promise<readonly ConnectedAgent[]>;
  /**
   * Hands the task on to an agent this one is connected to, which has it at once (`assigned`) or when it has room
   * (`queued`). The signal is aborted then, and what the handler still returns counts for nothing. Rejects with a
   * `DomainError` (`DELEGATION_…`) where that cannot be: the task is still this agent's.
   */
  delegate(to: string): Promise<HandedOn>;
  /** Ends the handler and gives the task back unharmed. `declined`: not to this agent again. */
  giveBack(reason?: ReturnReason): never;
};

/** Where a task that was handed on is now. */
export type HandedOn = { readonly status: TaskStatus; readonly to: string };

/** What a run's context does through the runner. */
export type RunActions = {
  progress(report: ProgressReport): void;
  use(usage: Usage): void;
  delegate(to: string): Promise<HandedOn>;
  log(level: LogLevel, message: string): void;
  save(verb: ReportVerb, fields: object): Promise<void>;
};

/** Does a task and returns its result as JSON (nothing means `null`); throwing fails it, to be tried again. */
export type TaskHandler = (task: OfferedTask, context: TaskContext) => unknown;

export function createContext(run: Run, calls: Calls, actions: RunActions): TaskContext {
  const { task, attempt, dependencyResults, childResults, questions, previousAttempts } = run.assignment;
  const { checkpoint = null } = run.assignment;
  const { signal } = run.abort;
  let creates = 0;

  function spawn(what: Parameters<Calls['create']>[0], options: CreateOptions = {}) {
    creates += 1;
    const idempotencyKey = options.idempotencyKey ?? `${task.id}:${creates}`;
    const traceparent = activeTraceparent() ?? task.traceparent;
    return calls.create(what, { idempotencyKey, parent: run.hold, traceparent }, signal);
  }

  return {
    signal,
    attempt,
    dependencyResults,
    childResults,
    questions,
    previousAttempts,
    checkpoint,
    dependency: (name) => findDependency(dependencyResults, name),
    progress(percent, message) {
      if (!Number.isFinite(percent))
        throw new RangeError(`expected a percentage of 0 to 100, got ${percent}`);
      const report = { percent: Math.min(100, Math.max(0, percent)) };
      actions.progress(message === undefined ? report : { ...report, message: message.slice(0, 1_000) });
    },
    log: (message, level = 'info') => actions.log(level, message),
    saveArtifact: (artifact) => actions.save('artifact', { artifact }),
    saveCheckpoint: (value) => actions.save('checkpoint', { checkpoint: value ?? null }),
    spawn: spawn as Create,
    get: (taskId) => calls.get(taskId, signal),
    block(wait) {
      throw new BlockTask(wait);
    },
    usage: (used) => actions.use(parse(usage, used, 'usage')),
    agents: (capability) => calls.agents(capability, signal),
    delegate: (to) => actions.delegate(parse(agentId, to, 'delegate')),
    giveBack(reason) {
      throw new ReturnTask(reason);
    },
  };
}

function findDependency(results: readonly DependencyResult[], name: string): DependencyResult {
  const found = results.find((result) => result.name === name || result.taskId === name);
  if (found) return found;
  const names = results.map((result) => result.name ?? result.taskId).join(', ');
  throw new Error(`expected a dependency ${name}; this task has: ${names || 'none'}`);
}
