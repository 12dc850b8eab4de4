import type { Submission } from './submission.js';

/** Bounds of one batch: a transaction neither holds its locks long nor carries much. */
const BATCH_COMMANDS = 500;
const BATCH_BYTES = 512 * 1024;

/**
 * Lets one batch with assignments be written at a time in a process. Assignments lock the rows of their agents, and a
 * busy fleet is in every batch: two lanes that assign wait for each other, and everything else in the second waits
 * along (measured, 4 lanes, 20 agents: 440 lifecycles/s with that wait, half of it on agent rows).
 */
export class AssignmentGate {
  private taken = false;
  private readonly waiting = new Set<() => void>();

  /** Whether the caller may write assignments now; else it is woken when it may try again. */
  enter(wake: () => void): boolean {
    if (this.taken) {
      this.waiting.add(wake);
      return false;
    }
    this.taken = true;
    return true;
  }

  leave(): void {
    this.taken = false;
    const woken = [...this.waiting];
    this.waiting.clear();
    for (const wake of woken) wake();
  }
}

type Queued = { readonly submission: Submission };

/**
 * Gathers what arrives while a batch is being written into the next one. An idle lane flushes at the end of the
 * current turn of the event loop, so that commands of one message go together and low load pays no waiting.
 * Interactive submissions go first; background ones get at most half of a batch.
 */
export class Lane<T extends Queued> {
  private readonly interactive: T[] = [];
  private readonly assignments: T[] = [];
  private readonly background: T[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly flush: (entries: readonly T[]) => Promise<void>,
    private readonly gate: AssignmentGate,
  ) {}

  get depth(): number {
    return this.interactive.length + this.assignments.length + this.background.length;
  }

  add(entry: T): void {
    this.queueOf(entry).push(entry);
    this.wake();
  }

  /** Resolves when everything added so far is written. */
  async drain(): Promise<void> {
    while (this.running !== undefined || this.depth > 0) await (this.running ?? new Promise(setImmediate));
  }

  private queueOf({ submission: { command, background } }: T): T[] {
    if (background) return this.background;
    return command.kind === 'assign' ? this.assignments : this.interactive;
  }

  private readonly wake = (): void => {
    this.running ??= this.run();
  };

  private async run(): Promise<void> {
    await Promise.resolve();
    try {
      for (;;) {
        const mayAssign = this.assignments.length > 0 && this.gate.enter(this.wake);
        try {
          const batch = this.next(mayAssign ? this.assignments : []);
          if (batch.length === 0) return;
          await this.flush(batch);
        } finally {
          if (mayAssign) this.gate.leave();
        }
      }
    } finally {
      this.running = undefined;
    }
  }

  private next(assignments: T[]): readonly T[] {
    const share = Math.min(this.background.length, BATCH_COMMANDS / 2);
    const first = take(this.interactive, { commands: BATCH_COMMANDS - share, bytes: BATCH_BYTES });
    const second = take(assignments, roomAfter(first, BATCH_COMMANDS - share));
    const third = take(this.background, roomAfter([...first, ...second], BATCH_COMMANDS));
    return [...first, ...second, ...third];
  }
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
