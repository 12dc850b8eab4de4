import { HISTORY_BEGIN, type EventCursor } from '@baton/contracts';
import type { Logger } from 'pino';
import type { CapacityService } from '../fleet/capacity.service.js';
import type { IngestStore } from '../ingest/ingest.store.js';
import type { TaskServiceClient } from '../task-service.client.js';
import type { Progress, ProgressStore } from './progress.store.js';

/** Events of a page that is only looked over: an index entry each. */
const BRIEF_PAGE = 2_000;
const FULL_PAGE = 500;

/** Without a sign of a loss the history is still looked over: it costs an index, and no loss stays unseen. */
const EVERY_MS = 60_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
const GAP_CHECK_MS = 2_000;
/** An event that is missing for so long is looked for in the history. */
const GAP_SECONDS = 5;

type Parts = {
  readonly tasks: Pick<TaskServiceClient, 'events'>;
  readonly progress: ProgressStore;
  readonly store: Pick<IngestStore, 'saveEvents' | 'hasAll' | 'hasGap'>;
  readonly capacity: Pick<CapacityService, 'heal'>;
  readonly logger: Logger;
};

/** Finds in the history what the stream did not bring: at start, after a reset, at a gap, and every minute. */
export class HealingService {
  readonly #parts: Parts;
  readonly #stopping = new AbortController();
  #wake: () => void = () => undefined;
  #isWanted = true;
  #generation: number | undefined;
  #ended: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** From now on until `stop`. */
  start(): void {
    this.#ended = this.#run();
  }

  /** The stream may have lost something. */
  heal(): void {
    this.#isWanted = true;
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#ended;
  }

  /**
   * Reads the history from where it is known to be counted to its end, and counts what is missing. The first time, and
   * after a rebuild, in order of tasks from the very first event; then in order of commits, where pages that hold
   * nothing new cost an index entry for each event. It can be cut off at any page and goes on there. Says how many
   * events were missing.
   */
  async run(): Promise<number> {
    const { progress, store, tasks } = this.#parts;
    let counted = 0;
    let position = await this.#position();
    while (!this.#stopping.signal.aborted) {
      const { cursor, generation } = position;
      this.#generation = generation;
      const isBrief = cursor.xid !== undefined;
      let page = await tasks.events({
        after: cursor,
        limit: isBrief ? BRIEF_PAGE : FULL_PAGE,
        brief: isBrief,
      });
      if (isBrief && page.versions.length > 0 && !(await store.hasAll(page.versions))) {
        page = await tasks.events({ after: cursor, limit: FULL_PAGE });
      }
      if (page.events.length > 0) counted += (await store.saveEvents(page.events)).counted;
      const isOver = page.next === null && isBrief;
      position = { ...position, cursor: page.next ?? behind(isBrief ? page.horizon : position.horizon) };
      // Everything was forgotten meanwhile: from the beginning.
      if (!(await progress.save(position))) position = await this.#position();
      else if (isOver) return counted;
    }
    return counted;
  }

  /** Where every transaction before this moment is over. */
  async horizon(): Promise<string> {
    const { horizon } = await this.#parts.tasks.events({ after: behind('0'), limit: 1, brief: true });
    return horizon;
  }

  async #position(): Promise<Progress> {
    const { progress } = this.#parts;
    for (;;) {
      const found = await progress.read();
      if (found) return found;
      await progress.begin(await this.horizon());
    }
  }

  async #run(): Promise<void> {
    const { logger, capacity } = this.#parts;
    let retryMs = FIRST_RETRY_MS;
    while (!this.#stopping.signal.aborted) {
      try {
        this.#isWanted = false;
        await capacity.heal();
        const counted = await this.run();
        if (counted > 0) logger.info({ events: counted }, 'counted events from the history');
        retryMs = FIRST_RETRY_MS;
        await this.#untilWanted();
      } catch (error) {
        logger.debug({ err: error, retryMs }, 'the history cannot be read now; trying again');
        await this.#pause(retryMs);
        retryMs = Math.min(MAX_RETRY_MS, retryMs * 2);
      }
    }
  }

  async #untilWanted(): Promise<void> {
    const end = performance.now() + EVERY_MS;
    while (!this.#isWanted && performance.now() < end && !this.#stopping.signal.aborted) {
      await this.#pause(GAP_CHECK_MS);
      if (this.#isWanted) return;
      const position = await this.#parts.progress.read();
      // Everything was forgotten, or an event has not come.
      if (position?.generation !== this.#generation || (await this.#parts.store.hasGap(GAP_SECONDS))) return;
    }
  }

  async #pause(forMs: number): Promise<void> {
    if (this.#isWanted || this.#stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, forMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function behind(xid: string): EventCursor {
  return { ...HISTORY_BEGIN, xid };
}
