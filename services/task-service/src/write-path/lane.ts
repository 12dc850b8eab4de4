import type { Submission } from './submission.js';

/** Bounds of one batch: a transaction neither holds its locks long nor carries much. */
const BATCH_COMMANDS = 500;
const BATCH_BYTES = 512 * 1024;

/**
 * Gathers what arrives while a batch is being written into the next one. An idle lane flushes at the end of the
 * current turn of the event loop, so that commands of one message go together and low load pays no waiting.
 * Interactive submissions go first; background ones get at most half of a batch.
 */
export class Lane<T extends { readonly submission: Submission }> {
  private readonly interactive: T[] = [];
  private readonly background: T[] = [];
  private running: Promise<void> | undefined;

  constructor(private readonly flush: (entries: readonly T[]) => Promise<void>) {}

  get depth(): number {
    return this.interactive.length + this.background.length;
  }

  add(entry: T): void {
    (entry.submission.background ? this.background : this.interactive).push(entry);
    this.running ??= this.run();
  }

  /** Resolves when everything added so far is written. */
  async drain(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    await Promise.resolve();
    try {
      while (this.depth > 0) await this.flush(this.next());
    } finally {
      this.running = undefined;
    }
  }

  private next(): readonly T[] {
    const room = { commands: BATCH_COMMANDS, bytes: BATCH_BYTES };
    const share = Math.min(this.background.length, BATCH_COMMANDS / 2);
    const first = take(this.interactive, { ...room, commands: room.commands - share });
    const second = take(this.background, {
      commands: BATCH_COMMANDS / 2,
      bytes: room.bytes - bytesOf(first),
    });
    return [...first, ...second];
  }
}

type Sized = { readonly submission: Submission };

/** At least one entry, however large, unless there is no room for any. */
function take<T extends Sized>(queue: T[], room: { commands: number; bytes: number }): T[] {
  let { commands, bytes } = room;
  let count = 0;
  for (const { submission } of queue) {
    commands -= weight(submission);
    bytes -= submission.bytes;
    if ((commands < 0 || bytes < 0) && count > 0) break;
    if (room.bytes <= 0) break;
    count += 1;
  }
  return queue.splice(0, count);
}

/** A graph counts as its tasks. */
function weight({ command }: Submission): number {
  return command.kind === 'create' ? command.tasks.length : 1;
}

function bytesOf(entries: readonly Sized[]): number {
  return entries.reduce((sum, { submission }) => sum + submission.bytes, 0);
}
