import type { Bus } from '@baton/bus';
import {
  isTerminal,
  taskFeedSubject,
  taskProgress,
  taskProgressSubject,
  type ProgressCommand,
  type TaskFeed,
  type TaskProgressHint,
} from '@baton/contracts';
import type { Pool } from '../database/database.js';
import type { CommitListener, Committed } from '../write-path/submission.js';
import { findStanding, type Standing } from './watch.store.js';

/** How often a watched task is looked at though nobody said anything: what heals a lost hint. */
const LOOK_MS = 5_000;

/** Signs that a task changed, from its subscription on; none is lost between two calls of `next`. */
export type Watch = {
  /** Resolves at the next sign, at once when there was one meanwhile; after `ms` without one, or when it is over. */
  next(ms: number): Promise<void>;
  /** The latest progress told since the last call. */
  progress(): TaskProgressHint | undefined;
  readonly isOver: boolean;
  close(): void;
};

/**
 * Watches tasks for requests that wait. Told by hints over NATS, and of what this process commits without them; whoever
 * is told reads from Postgres, which alone is true.
 */
export class WatchService implements Pick<CommitListener, 'committed'> {
  private readonly watches = new Map<string, Set<() => void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly pool: Pool,
    private readonly bus: Bus,
    /** The database's time. */
    private readonly now: () => number,
  ) {}

  committed(changes: readonly Committed[]): void {
    for (const { after } of changes) {
      const feed: TaskFeed = { version: after.version, status: after.status };
      this.bus.publishHint(taskFeedSubject(after.id), feed);
      for (const wake of this.watches.get(after.id) ?? []) wake();
    }
  }

  /** Progress that was kept, as of now. */
  progressed(reports: readonly ProgressCommand[]): void {
    const at = new Date(this.now()).toISOString();
    for (const { taskId, attempt, percent, message = null } of reports) {
      const hint: TaskProgressHint = { attempt, percent, message, at };
      this.bus.publishHint(taskProgressSubject(taskId), hint);
    }
  }

  /** Every watch is over, and so is whatever waits for one: its client asks another replica. */
  stop(): void {
    this.stopping.abort();
  }

  /** `signal`: whoever watches is gone. */
  watch(taskId: string, signal: AbortSignal): Watch {
    let isSigned = false;
    let latest: TaskProgressHint | undefined;
    let resolve: (() => void) | undefined;
    const wake = () => {
      isSigned = true;
      resolve?.();
    };
    const over = AbortSignal.any([signal, this.stopping.signal]);
    over.addEventListener('abort', wake);
    const stops = [
      this.bus.subscribe(taskFeedSubject(taskId), wake),
      this.bus.subscribe(taskProgressSubject(taskId), (body) => {
        const hint = taskProgress.safeParse(body);
        if (!hint.success) return;
        latest = hint.data;
        wake();
      }),
    ];
    const known = this.watches.get(taskId) ?? new Set();
    this.watches.set(taskId, known.add(wake));
    return {
      async next(ms) {
        if (!isSigned && !over.aborted) {
          await new Promise<void>((done) => {
            const timer = setTimeout(done, ms);
            resolve = () => {
              clearTimeout(timer);
              done();
            };
          });
        }
        isSigned = false;
        resolve = undefined;
      },
      progress() {
        const told = latest;
        latest = undefined;
        return told;
      },
      get isOver() {
        return over.aborted;
      },
      close: () => {
        over.removeEventListener('abort', wake);
        for (const stop of stops) stop();
        known.delete(wake);
        if (known.size === 0) this.watches.delete(taskId);
      },
    };
  }

  /** Resolves when the task has ended or is gone, after `ms`, or when the caller or the service is: says whether it has. */
  async untilEnded(taskId: string, ms: number, signal: AbortSignal): Promise<boolean> {
    const until = performance.now() + ms;
    const watch = this.watch(taskId, signal);
    try {
      for (;;) {
        const standing = await this.standing(taskId);
        if (standing === undefined || isTerminal(standing.status)) return true;
        const left = until - performance.now();
        if (left <= 0 || watch.isOver) return false;
        await watch.next(Math.min(left, LOOK_MS));
      }
    } finally {
      watch.close();
    }
  }

  standing(taskId: string): Promise<Standing | undefined> {
    return findStanding(this.pool, taskId);
  }
}
