/** Collects what is added and sends it in batches. */
export type Batcher<T> = {
  add(item: T): void;
  /** Resolves when everything added was sent and answered. */
  idle(): Promise<void>;
};

export type BatcherOptions<T> = {
  readonly maxItems: number;
  readonly maxInFlight: number;
  /** Must not reject. */
  readonly send: (items: readonly T[]) => Promise<void>;
};

/**
 * Batches without a timer: what is added in one turn of the event loop goes out at its end; while `maxInFlight`
 * batches are under way, what comes forms the next one. Low load gives low latency, high load large batches.
 */
export function createBatcher<T>(options: BatcherOptions<T>): Batcher<T> {
  let waiting: T[] = [];
  let scheduled = false;
  let inFlight = 0;
  let idleListeners: (() => void)[] = [];

  return {
    add(item) {
      waiting.push(item);
      if (scheduled || inFlight >= options.maxInFlight) return;
      scheduled = true;
      setImmediate(flush);
    },
    idle: () =>
      new Promise((resolve) => {
        idleListeners.push(resolve);
        settleIdle();
      }),
  };

  function flush(): void {
    scheduled = false;
    while (waiting.length > 0 && inFlight < options.maxInFlight) {
      const batch = waiting.slice(0, options.maxItems);
      waiting = waiting.slice(options.maxItems);
      inFlight += 1;
      void options.send(batch).finally(() => {
        inFlight -= 1;
        flush();
        settleIdle();
      });
    }
  }

  function settleIdle(): void {
    if (inFlight > 0 || waiting.length > 0) return;
    const listeners = idleListeners;
    idleListeners = [];
    for (const listener of listeners) listener();
  }
}
