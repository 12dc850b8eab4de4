import { DomainError, isTerminal, type TaskHistoryEntry } from '@baton/contracts';
import { taskNotFound, type TaskReading } from '../tasks/task.reading.service.js';
import type { WatchService } from './watch.service.js';

/** What keeps a connection known to be alive, and heals hints that were lost. */
const BEAT_MS = 15_000;
const RETRY_MS = 1_000;
/** Of one process. Each costs a subscription and at most one page of events in memory, however slow its client reads. */
const MAX_STREAMS = 2_000;

/** The events of one task as text/event-stream. */
export class EventStreams {
  private open = 0;

  constructor(
    private readonly watches: WatchService,
    private readonly reading: TaskReading,
  ) {}

  /**
   * Everything behind version `after`, then what comes, until the task has ended; nothing when there is nothing to come
   * any more. Subscribes first and then reads, so that nothing falls in between; what is sent is read from the history,
   * and so in order and without gaps whatever hints came. The generator runs as fast as it is read.
   */
  async follow(
    taskId: string,
    after: number,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<string> | undefined> {
    const standing = await this.watches.standing(taskId);
    if (standing === undefined) throw taskNotFound(taskId);
    if (isTerminal(standing.status) && standing.version <= after) return undefined;
    if (this.open >= MAX_STREAMS) {
      const message = `${MAX_STREAMS} streams are open here; try again`;
      throw new DomainError('UNAVAILABLE', message, { retryAfterMs: RETRY_MS });
    }
    return this.events(taskId, after, signal);
  }

  private async *events(taskId: string, after: number, signal: AbortSignal): AsyncGenerator<string> {
    this.open += 1;
    const watch = this.watches.watch(taskId, signal);
    try {
      yield `retry: ${RETRY_MS}\n\n`;
      for (let sent = after; !watch.isOver;) {
        // Before the page: what ended by then is in it.
        const standing = await this.watches.standing(taskId);
        if (standing === undefined) return;
        for (const entry of sent < standing.version ? await this.reading.history(taskId, sent) : []) {
          yield toEvent(entry);
          sent = entry.version;
        }
        if (sent < standing.version) continue;
        if (isTerminal(standing.status)) return;
        const progress = watch.progress();
        if (progress !== undefined) yield `event: progress\ndata: ${JSON.stringify(progress)}\n\n`;
        const waitedFrom = performance.now();
        await watch.next(BEAT_MS);
        if (performance.now() - waitedFrom >= BEAT_MS) yield ': beat\n\n';
      }
    } finally {
      watch.close();
      this.open -= 1;
    }
  }
}

function toEvent(entry: TaskHistoryEntry): string {
  return `id: ${entry.version}\nevent: ${entry.type}\ndata: ${JSON.stringify(entry)}\n\n`;
}
