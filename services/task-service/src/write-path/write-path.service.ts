import { DomainError } from '@baton/contracts';
import { apart, ATTRIBUTES, inSpan } from '@baton/telemetry';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import type { OutboxService } from '../outbox/outbox.service.js';
import { mayCloseCycle } from '../tasks/edges.decide.js';
import { AssignmentGate, BACKGROUND_COMMANDS, Lane } from './lane.js';
import { runBatch } from './pipeline.js';
import type { CommitListener, Outcome, Refused, Settled, Submission } from './submission.js';
import type { Written } from './transaction.js';

type Told = Written & { readonly refused: readonly Refused[] };

type Entry = { readonly submission: Submission; readonly settle: (settled: Settled) => void };

/** Commands waiting in a process before new ones are refused as too many. */
const MAX_WAITING = 50_000;

/**
 * The one way to change a task. A command goes to the lane of its task, is decided and committed with others, and
 * only then answered; afterwards its events are published and the listeners told.
 */
export class WritePath {
  private readonly interactive: readonly Lane<Entry>[];
  /** Beside each lane: nobody who waits for an answer waits for a fan-out, other than on a row of both. */
  private readonly background: readonly Lane<Entry>[];
  /** For what needs the graph lock: batches of their own, so that no other command waits for it. */
  private readonly graphLane: Lane<Entry>;
  private readonly listeners: Partial<CommitListener>[] = [];

  constructor(
    private readonly pool: Pool,
    private readonly outbox: OutboxService,
    private readonly logger: Logger,
    lanes: number,
  ) {
    const gate = new AssignmentGate();
    const lane = (most?: number) => new Lane<Entry>((entries) => this.flush(entries), gate, most);
    const lanesOf = (most?: number) => Array.from({ length: lanes }, () => lane(most));
    this.graphLane = lane();
    this.interactive = lanesOf();
    this.background = lanesOf(BACKGROUND_COMMANDS);
  }

  private get lanes(): readonly Lane<Entry>[] {
    return [...this.interactive, ...this.background, this.graphLane];
  }

  onCommit(listener: Partial<CommitListener>): void {
    this.listeners.push(listener);
  }

  /** Commands waiting to be written in this process. */
  get depth(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.depth, 0);
  }

  /** Resolves after the commit with what came of the command, refusals included; never rejects. */
  submit(submission: Submission): Promise<Settled> {
    if (this.depth >= MAX_WAITING) {
      const message = `${MAX_WAITING} commands wait to be written; nothing was changed. Try again.`;
      return Promise.resolve(new DomainError('UNAVAILABLE', message, { retryAfterMs: 1_000 }));
    }
    return new Promise((settle) => this.laneOf(submission).add({ submission, settle }));
  }

  /** As `submit`, but throws a refusal. */
  async execute(submission: Submission): Promise<Outcome> {
    const settled = await this.submit(submission);
    if (settled instanceof DomainError) throw settled;
    return settled;
  }

  /** Resolves when nothing is waiting any more, what listeners submitted meanwhile included. */
  async drain(): Promise<void> {
    while (this.lanes.some((lane) => lane.isBusy)) await Promise.all(this.lanes.map((lane) => lane.drain()));
  }

  /**
   * One task, one lane, and one for what is done to it in the background: a process hardly waits for a row lock of its
   * own. A child goes to its parent's lane.
   */
  private laneOf({ command, laneOf, background }: Submission): Lane<Entry> {
    if (mayCloseCycle(command)) return this.graphLane;
    const own =
      command.kind === 'create' ? (command.parent?.taskId ?? command.tasks[0]?.id ?? '') : command.taskId;
    const id = laneOf ?? own;
    const lanes = background ? this.background : this.interactive;
    const lane = lanes[Number.parseInt(id.slice(-4), 16) % lanes.length];
    if (lane === undefined) throw new Error(`no lane for the task id ${id}`);
    return lane;
  }

  private flush(entries: readonly Entry[]): Promise<void> {
    const plan = {
      name: 'write batch',
      of: () => entries.map(({ submission }) => submission.traceparent),
      attributes: () => ({ [ATTRIBUTES.commands]: entries.length }),
    };
    return inSpan(plan, () => this.write(entries));
  }

  private async write(entries: readonly Entry[]): Promise<void> {
    const waiting = new Map(entries.map((entry) => [entry.submission, entry]));
    await runBatch(this.pool, this.logger, [...waiting.keys()], (submissions, written) => {
      submissions.forEach((submission, index) => {
        const settled = written.settled[index];
        if (settled !== undefined) waiting.get(submission)?.settle(settled);
      });
      // What follows is gathered over batches: it is nobody's child.
      apart(() => this.tell(written, refusalsOf(submissions, written.settled)));
    });
  }

  private tell(written: Written, refused: readonly Refused[]): void {
    if (written.outbox !== undefined) this.outbox.publish(written.outbox);
    for (const listener of this.listeners) this.tellOne(listener, { ...written, refused });
  }

  /** A listener that throws is a fault of its own: what was committed stays so, and the others hear of it. */
  private tellOne(listener: Partial<CommitListener>, told: Told): void {
    const { committed, refused, offerAgain, notified } = told;
    try {
      if (committed.length > 0) listener.committed?.(committed);
      if (refused.length > 0) listener.refused?.(refused);
      if (offerAgain.length > 0) listener.offerAgain?.(offerAgain);
      if (notified.length > 0) listener.notified?.(notified);
    } catch (error) {
      this.logger.error({ err: error }, 'a listener of commits failed');
    }
  }
}

function refusalsOf(submissions: readonly Submission[], settled: readonly Settled[]): readonly Refused[] {
  return submissions.flatMap(({ command }, index) => {
    const refusal = settled[index];
    return refusal instanceof DomainError ? [{ command: command.kind, code: refusal.code }] : [];
  });
}
