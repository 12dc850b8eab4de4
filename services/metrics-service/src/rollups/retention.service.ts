import type { Logger } from 'pino';
import type { RetentionStore } from './retention.store.js';

const EVERY_MS = 600_000;

/** Removes old figures every ten minutes. Whichever replica comes first does it. */
export class RetentionService {
  readonly #store: RetentionStore;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: RetentionStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#store.removeOld().catch((error: unknown) => {
        this.#logger.warn({ err: error }, 'could not remove old figures; it is tried again in ten minutes');
      });
    }, EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
