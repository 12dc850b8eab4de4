import { backOffMs } from './back-off.js';

/** Gathers request items into few messages, and repeats each until it has its answer. */
export type Batcher<A> = {
  /** Sends one item, serialised JSON; resolves with its answer, however long that takes. */
  add(item: string): Promise<A>;
  /** Ends a pause after failures: the way is free again. */
  wake(): void;
  /** Answers everything unanswered with `answer`, and all later items too. */
  stop(answer: A): void;
};

export type BatcherOptions<A> = {
  /** Sends `{"items":[…]}` and gives one answer per item, in order; rejects when all must be sent again. */
  send(payload: string, count: number): Promise<readonly A[]>;
  /** Milliseconds after which an item so answered is sent again; nothing if the answer is final. */
  retryAfterMs(answer: A, tries: number): number | undefined;
  /** The answer to an item that does not fit into a message even alone. */
  tooLarge(bytes: number): A;
  readonly maxItems: number;
  readonly maxBytes: number;
  /** Messages in flight; while they are, further items gather. */
  readonly maxFlushes: number;
};

type Pending<A> = {
  readonly item: string;
  readonly bytes: number;
  tries: number;
  readonly settle: (answer: A) => void;
};

const OPENING = '{"items":[';
const CLOSING = ']}';

/** Batching is natural: an item that finds the way free leaves at the end of this turn of the event loop. */
export function createBatcher<A>(options: BatcherOptions<A>): Batcher<A> {
  const waiting: Pending<A>[] = [];
  const inFlight = new Set<Pending<A>>();
  const retries = new Map<Pending<A>, NodeJS.Timeout>();
  let flushes = 0;
  let failures = 0;
  let scheduled = false;
  let paused: NodeJS.Timeout | undefined;
  let stopped: { readonly answer: A } | undefined;

  function add(item: string): Promise<A> {
    if (stopped) return Promise.resolve(stopped.answer);
    const bytes = Buffer.byteLength(item);
    if (OPENING.length + bytes + CLOSING.length > options.maxBytes) {
      return Promise.resolve(options.tooLarge(bytes));
    }
    return new Promise((settle) => {
      waiting.push({ item, bytes, tries: 0, settle });
      schedule();
    });
  }

  function schedule(): void {
    if (scheduled || !canFlush()) return;
    scheduled = true;
    // Not a microtask: what one incoming message sets off should leave in one message.
    setImmediate(() => {
      scheduled = false;
      while (canFlush()) void flush(take());
    });
  }

  function canFlush(): boolean {
    return !paused && !stopped && waiting.length > 0 && flushes < options.maxFlushes;
  }

  function take(): readonly Pending<A>[] {
    let bytes = OPENING.length + CLOSING.length;
    let count = 0;
    for (const pending of waiting) {
      if (count === options.maxItems || bytes + pending.bytes > options.maxBytes) break;
      bytes += pending.bytes + 1;
      count += 1;
    }
    return waiting.splice(0, count);
  }

  async function flush(batch: readonly Pending<A>[]): Promise<void> {
    flushes += 1;
    for (const pending of batch) inFlight.add(pending);
    try {
      const payload = `${OPENING}${batch.map((pending) => pending.item).join(',')}${CLOSING}`;
      const answers = await options.send(payload, batch.length);
      failures = 0;
      batch.forEach((pending, index) => finish(pending, answers[index] as A));
    } catch {
      sendAgain(batch);
    } finally {
      flushes -= 1;
      schedule();
    }
  }

  function finish(pending: Pending<A>, answer: A): void {
    if (!inFlight.delete(pending)) return;
    const delay = options.retryAfterMs(answer, pending.tries);
    if (delay === undefined) return pending.settle(answer);
    pending.tries += 1;
    const timer = setTimeout(() => {
      retries.delete(pending);
      waiting.push(pending);
      schedule();
    }, delay);
    retries.set(pending, timer);
  }

  function sendAgain(batch: readonly Pending<A>[]): void {
    if (stopped) return;
    for (const pending of batch) inFlight.delete(pending);
    waiting.unshift(...batch);
    paused ??= setTimeout(wake, backOffMs(failures));
    failures += 1;
  }

  function wake(): void {
    clearTimeout(paused);
    paused = undefined;
    schedule();
  }

  function stop(answer: A): void {
    if (stopped) return;
    stopped = { answer };
    clearTimeout(paused);
    for (const timer of retries.values()) clearTimeout(timer);
    for (const pending of [...waiting, ...inFlight, ...retries.keys()]) pending.settle(answer);
    waiting.length = 0;
    inFlight.clear();
    retries.clear();
  }

  return { add, wake, stop };
}
