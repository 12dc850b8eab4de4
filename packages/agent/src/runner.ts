import type { Assignment, OfferAnswer, ReportVerb, TaskAnswer, Usage } from '@baton/contracts';
import { fromErrorBody, TaskAborted, TaskFailure, type AbortKind } from './errors.js';
import { completed, returned, sendOutcome, thrownOutcome, type Outcome } from './outcome.js';
import { createProgress, type ProgressReport } from './progress.js';
import { createReports, type Reports } from './reports.js';
import { createRuns, type Run } from './runs.js';
import { createTold } from './told.js';
import type { HandedOn } from './context.js';
import { tracedRun, type RunSpan } from './traced-run.js';
import type { AgentLogger } from './logger.js';
import type { TaskCommands } from './task-commands.js';

/** Takes assignments, runs the handler on at most `maxConcurrent` of them at once, reports how each ended. */
export type Runner = {
  /** Idempotent: what is known, or was until lately, is accepted again and not run twice. */
  offer(epoch: number, assignments: readonly Assignment[]): OfferAnswer;
  /** Every task whose start was sent and whose end is not yet answered. */
  running(): { readonly taskId: string; readonly attempt: number }[];
  progress(run: Run, report: ProgressReport): void;
  /** All that the run has used up so far; told with what is said next. */
  use(run: Run, usage: Usage): void;
  /** What a run leaves with its task. */
  readonly reports: Reports;
  /** Hands the run's task on; rejects with why not, and then the run goes on. */
  delegate(run: Run, to: string): Promise<HandedOn>;
  /** The task is no longer ours (that attempt of it, if one is named): its handler is told to stop. */
  abort(taskId: string, attempt: number | undefined, kind: AbortKind, detail: string | null): void;
  /** The session that all unfinished work belongs to is over. */
  abandon(): void;
  /** Refuses offers and starts nothing more. */
  close(): void;
  reopen(): void;
  /** Gives back what has not begun. */
  returnQueued(): void;
  /** Stops the handlers and gives their tasks back. */
  returnRunning(): void;
  /** Resolves when nothing is left, answers included. */
  whenIdle(): Promise<void>;
  stop(): void;
};

export type RunnerOptions = {
  readonly id: string;
  readonly maxConcurrent: number;
  readonly prefetch: number;
  readonly commands: TaskCommands;
  readonly logger: AgentLogger;
  /** Calls the user's handler. */
  work(run: Run): unknown;
  /** Baton said that the epoch is not ours. */
  onStaleSession(): void;
};

export function createRunner(options: RunnerOptions): Runner {
  const { id, commands, logger } = options;
  const runs = createRuns(options);
  const progress = createProgress(sendProgress);
  const reports = createReports(sendReport);
  const told = createTold();
  const handingOn = new Set<Run>();
  let open = true;
  let leaving = false;

  function offer(epoch: number, assignments: readonly Assignment[]): OfferAnswer {
    const accepted: string[] = [];
    const rejected: OfferAnswer['rejected'] = [];
    for (const assignment of assignments) {
      const taskId = assignment.task.id;
      const code = admit(epoch, assignment);
      if (code === 'accepted') accepted.push(taskId);
      else if (code !== 'outdated') rejected.push({ taskId, code });
    }
    pump();
    return { accepted, rejected };
  }

  function admit(
    epoch: number,
    assignment: Assignment,
  ): 'accepted' | 'outdated' | 'DRAINING' | 'AT_CAPACITY' {
    const { task, attempt } = assignment;
    const standing = runs.standing(task.id, attempt);
    if (standing === 'known') return 'accepted';
    if (standing === 'outdated') return 'outdated';
    if (!open) return 'DRAINING';
    const earlier = runs.get(task.id);
    if (earlier) drop(earlier, 'stale', `attempt ${attempt} was offered`);
    if (!runs.hasRoom()) return 'AT_CAPACITY';
    runs.add(assignment, epoch);
    return 'accepted';
  }

  function pump(): void {
    if (!open) return;
    for (let run = runs.next(); run; run = runs.next()) {
      runs.move(run, 'starting');
      void tracedRun(id, run, (span) => execute(run, span));
    }
  }

  async function execute(run: Run, span: RunSpan): Promise<void> {
    const started = await commands.send('start', run.hold);
    if (!runs.has(run)) return;
    if (!started.ok) {
      note(run, 'start', started);
      return drop(run, 'stale', started.error.message);
    }
    if (leaving) return finish(run, returned('draining'));
    runs.move(run, 'running');
    const outcome = await work(run);
    await reports.settled(run);
    span.ended(told.with(run, outcome));
    if (runs.has(run) && run.state === 'running') await finish(run, outcome);
  }

  async function work(run: Run): Promise<Outcome> {
    try {
      return completed(await options.work(run));
    } catch (thrown) {
      const outcome = thrownOutcome(thrown);
      if (outcome.verb === 'fail' && !(thrown instanceof TaskFailure) && !run.abort.signal.aborted) {
        logger.warn(`agent ${id}: the handler failed on task ${run.hold.taskId}`, thrown);
      }
      return outcome;
    }
  }

  async function finish(run: Run, outcome: Outcome): Promise<void> {
    runs.move(run, run.state === 'queued' ? 'returning' : 'ending');
    progress.forget(run);
    pump();
    const answer = await sendOutcome(commands, run.hold, told.with(run, outcome));
    if (!answer.ok) note(run, outcome.verb, answer);
    if (runs.has(run)) runs.remove(run);
  }

  async function sendProgress(run: Run, report: ProgressReport): Promise<void> {
    if (!isRunning(run)) return;
    const answer = await commands.send('progress', run.hold, report);
    // A report that the end of the task overtook says nothing.
    if (answer.ok || !isRunning(run)) return;
    note(run, 'progress', answer);
    if (isLoss(answer)) drop(run, 'stale', answer.error.message);
  }

  async function sendReport(run: Run, verb: ReportVerb, fields: object): Promise<TaskAnswer> {
    if (!isRunning(run)) throw run.abort.signal.reason ?? new Error('the task has ended');
    const answer = await commands.send(verb, run.hold, fields);
    if (answer.ok || !isRunning(run)) return answer;
    note(run, verb, answer);
    if (isLoss(answer)) drop(run, 'stale', answer.error.message);
    return answer;
  }

  function note(run: Run, verb: string, answer: TaskAnswer & { ok: false }): void {
    const { code, message } = answer.error;
    const level = isLoss(answer) ? 'debug' : 'warn';
    logger[level](`agent ${id}: ${verb} of task ${run.hold.taskId} was refused: ${code}: ${message}`);
    if (code === 'STALE_SESSION') options.onStaleSession();
  }

  function isRunning(run: Run): boolean {
    return runs.has(run) && run.state === 'running';
  }

  async function delegate(run: Run, to: string): Promise<HandedOn> {
    if (!isRunning(run)) throw run.abort.signal.reason ?? new Error('the task has ended');
    handingOn.add(run);
    const answer = await commands.send('delegate', run.hold, { to, ...told.usageOf(run) });
    handingOn.delete(run);
    if (answer.ok) {
      if (runs.has(run)) drop(run, 'delegated', `it is with ${to}`);
      return { status: answer.status, to };
    }
    if (isLoss(answer) && isRunning(run)) drop(run, 'stale', answer.error.message);
    throw fromErrorBody(answer.error);
  }

  /** A run whose last command is on its way is left to its answer. */
  function drop(run: Run, kind: AbortKind, detail?: string | null): void {
    if (run.state === 'ending' || run.state === 'returning' || handingOn.has(run)) return;
    progress.forget(run);
    runs.remove(run);
    run.abort.abort(new TaskAborted(kind, detail));
    pump();
  }

  function abandon(): void {
    const unfinished = runs.all();
    // A start binds the epoch: what has not begun may still be ours in the next one, and is offered then.
    for (const run of unfinished) if (run.state === 'queued') runs.remove(run, { forgotten: true });
    for (const run of unfinished) if (runs.has(run)) drop(run, 'session_lost');
  }

  function returnQueued(): void {
    for (const run of runs.all()) if (run.state === 'queued') void finish(run, returned('draining'));
  }

  function returnRunning(): void {
    leaving = true;
    // What is starting returns itself when its start is answered: a task has one unanswered command.
    for (const run of runs.all()) {
      if (run.state !== 'running') continue;
      run.abort.abort(new TaskAborted('shutdown'));
      void finish(run, returned('draining'));
    }
  }

  return {
    offer,
    running: () => runs.all().filter(isStarted).map(toRunning),
    progress(run, report) {
      if (isRunning(run)) progress.report(run, told.report(run, report));
    },
    use(run, usage) {
      if (isRunning(run)) progress.report(run, told.use(run, usage));
    },
    reports,
    delegate,
    abort(taskId, attempt, kind, detail) {
      const run = runs.get(taskId);
      if (run && (attempt === undefined || attempt === run.hold.attempt)) drop(run, kind, detail);
    },
    abandon,
    close: () => void (open = false),
    reopen() {
      open = true;
      pump();
    },
    returnQueued,
    returnRunning,
    whenIdle: () => runs.whenEmpty(),
    stop: () => progress.stop(),
  };
}

function isStarted(run: Run): boolean {
  return run.state !== 'queued' && run.state !== 'returning';
}

function toRunning(run: Run): { taskId: string; attempt: number } {
  return { taskId: run.hold.taskId, attempt: run.hold.attempt };
}

/** The task is somebody else's or over: expected in races, nothing to look at. */
function isLoss(answer: TaskAnswer & { ok: false }): boolean {
  const { code } = answer.error;
  return code === 'STALE_ATTEMPT' || code === 'STALE_SESSION' || code === 'TASK_STATE_CONFLICT';
}
