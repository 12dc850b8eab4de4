import type { Actor, Decision, DomainError } from '@baton/contracts';
import type { Accepted, Command, Task } from '../tasks/task.js';
import type { ArrowName } from '../tasks/task.state.js';

/** Makes a repeated request find what the first one did: kept 24 h, compared by the body's fingerprint. */
export type Idempotency = { readonly scope: string; readonly key: string; readonly fingerprint: string };

/** A command on its way into the database. */
export type Submission = {
  readonly command: Command;
  readonly actor: Actor;
  readonly traceparent: string | null;
  /** The sender's own id of the command: a repetition of an accepted one is answered as accepted. */
  readonly commandId: string | null;
  readonly idempotency?: Idempotency;
  /** Refused unless the task is at one of these versions. */
  readonly ifVersions?: readonly number[];
  /** Rough size of what the command carries, for the bound on a batch. */
  readonly bytes: number;
  /** Fan-outs and timers: in batches of their own. */
  readonly background?: true;
  /** Written in the lane of this task instead of its own, behind what was submitted to it before. */
  readonly laneOf?: string;
};

/** What came of a submission: one entry for each task of a create, else one. */
export type Outcome = {
  readonly accepted: readonly Accepted[];
  /** Answered from an earlier request with the same key or command id. */
  readonly replayed: boolean;
  /** The tasks as committed, when this very submission wrote them. */
  readonly tasks: readonly Task[];
};

export type Settled = Outcome | DomainError;

/** A command that was refused, and why. */
export type Refused = { readonly command: Command['kind']; readonly code: DomainError['code'] };

/** A committed change, told to whoever offers, hints and rechecks. */
export type Committed = {
  readonly before: Task | undefined;
  readonly after: Task;
  readonly arrow: ArrowName;
  /** Why this agent was chosen, for an assignment. */
  readonly decision: Decision | null;
  /** The task is to be looked at again: it began to wait for something that may have ended meanwhile. */
  readonly recheck?: true;
};

export type CommitListener = {
  committed(changes: readonly Committed[]): void;
  /** Commands that changed nothing; none of them comes again by a batch that is tried again. */
  refused(refusals: readonly Refused[]): void;
  /** Assignments whose offer got no answer yet. */
  offerAgain(tasks: readonly Task[]): void;
  /** Agents in whose inbox something was put. */
  notified(agentIds: readonly string[]): void;
};
