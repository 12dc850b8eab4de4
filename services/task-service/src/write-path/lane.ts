import { assignedBy } from '../tasks/assigned-by.js';
import type { Submission } from './submission.js';

/** Bounds of one batch: a transaction neither holds its locks long nor carries much. */
const BATCH_COMMANDS = 500;
const BATCH_BYTES = 512 * 1024;

/** Commands of a batch in the background: the event loop is not held up for long by deciding and serialising them. */
export const BACKGROUND_COMMANDS = BATCH_COMMANDS / 2;

/**
 * Lets one batch with assignments be written at a time in a process. Assignments lock the rows of their agents, and a
 * busy fleet is in every batch: two lanes that assign wait for each other, and everything else in the second waits
 * along (measured, 4 lanes, 20 agents: 440 lifecycles/s with that wait, half of it on agent rows).
 */
export class AssignmentGate {
  /** Who writes assignments now, or is the next who may. */
  private owner: object | undefined;
  private isReserved = false;
  private readonly waiting: { readonly lane: object; readonly wake: () => void }[] = [];

  /** Whether the lane may write assignments now; else its turn comes, and it is woken. */
  enter(lane: object, wake: () => void): boolean {
    if (this.owner !== undefined && !(this.isReserved && this.owner === lane)) {
      if (!this.waiting.some((entry) => entry.lane === lane)) this.waiting.push({ lane, wake });
      return false;
    }
    this.owner = lane;
    this.isReserved = false;
    return true;
  }

  /** Hands over to the lane that waited longest: one that came back at once would keep the others out for ever. */
  leave(): void {
    const next = this.waiting.shift();
    this.owner = next?.lane;
    this.isReserved = next !== undefined;
    next?.wake();
  }
}

type Queued = { readonly submission: Submission };

/**
 * Gathers what arrives while a batch is being written into the next one. An idle lane flushes at the end of the
 * current turn of the event loop, so that commands of one message go together and low load pays no waiting.
 * Assignments have up to half of a batch when they wait.
 */
export class Lane<T extends Queued> {
  private readonly plain: T[] = [];
  private readonly assignments: T[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly flush: (entries: readonly T[]) => Promise<void>,
    private readonly gate: AssignmentGate,
    private readonly most = BATCH_COMMANDS,
  ) {}

  get depth(): number {
    return this.plain.length + this.assignments.length;
  }

  /** Whether something is being written or waits for it. */
  get isBusy(): boolean {
    return this.running !== undefined || this.depth > 0;
  }

  add(entry: T): void {
    this.queueOf(entry).push(entry);
    this.wake();
  }

  /** Resolves when everything added so far is written. */
  async drain(): Promise<void> {
    while (this.isBusy) await (this.running ?? new Promise(setImmediate));
  }

  private queueOf({ submission: { command } }: T): T[] {
    return assigns(command) ? this.assignments : this.plain;
  }

  private readonly wake = (): void => {
    this.running ??= this.run();
  };

  private async run(): Promise<void> {
    await Promise.resolve();
    try {
      for (;;) {
        const mayAssign = this.assignments.length > 0 && this.gate.enter(this, this.wake);
        const batch = this.next(mayAssign ? this.assignments : []);
        const isAssigning = batch.some(({ submission }) => assigns(submission.command));
        if (mayAssign && !isAssigning) this.gate.leave();
        if (batch.length === 0) return;
        try {
          await this.flush(batch);
        } finally {
          if (isAssigning) this.gate.leave();
        }
      }
    } finally {
      this.running = undefined;
    }
  }

  /** Whoever waits has a share: a flood of one kind holds up none of the others. */
  private next(assignments: T[]): readonly T[] {
    const others = Math.min(assignments.length, this.most / 2);
    const bytes = others > 0 ? BATCH_BYTES / 2 : BATCH_BYTES;
    const first = take(this.plain, { commands: this.most - others, bytes });
    return [...first, ...take(assignments, roomAfter(first, this.most))];
  }
}

function assigns(command: Submission['command']): boolean {
  return command.kind !== 'create' && assignedBy(command) !== null;
}

type Room = { readonly commands: number; readonly bytes: number };

function roomAfter(taken: readonly Queued[], commands: number): Room {
  return {
    commands: taken.reduce((left, { submission }) => left - weight(submission), commands),
    bytes: taken.reduce((left, { submission }) => left - submission.bytes, BATCH_BYTES),
  };
}

/** As many as there is room for; at least one, however large, where there is any room. */
function take<T extends Queued>(queue: T[], room: Room): T[] {
  let { commands, bytes } = room;
  let count = 0;
  for (const { submission } of queue) {
    if (commands <= 0 || bytes <= 0) break;
    commands -= weight(submission);
    bytes -= submission.bytes;
    if ((commands < 0 || bytes < 0) && count > 0) break;
    count += 1;
  }
  return queue.splice(0, count);
}

/** A graph counts as its tasks. */
function weight({ command }: Submission): number {
  return command.kind === 'create' ? command.tasks.length : 1;
}
