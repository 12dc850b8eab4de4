import type { Logger } from 'pino';

/** Work repeated at an interval: one run at a time, a failed run is logged and left to the next. */
export class Loop {
  private readonly stopped = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly name: string,
    private readonly everyMs: number,
    private readonly runOnce: (stopped: AbortSignal) => Promise<void>,
    private readonly logger: Logger,
  ) {}

  /** Safe to call twice. */
  start(): void {
    this.timer ??= setInterval(() => void this.run(), this.everyMs);
  }

  /** For good. Resolves when a run under way, which is told by its signal, has ended; safe to call twice. */
  async stop(): Promise<void> {
    this.stopped.abort();
    clearInterval(this.timer);
    this.timer = undefined;
    await this.running;
  }

  /** Runs now, or joins the run under way; never rejects, does nothing once stopped. */
  run(): Promise<void> {
    if (this.stopped.signal.aborted) return this.running ?? Promise.resolve();
    this.running ??= this.runOnce(this.stopped.signal)
      .catch((error: unknown) => {
        this.logger.warn(
          { error: String(error) },
          `${this.name} failed; it is tried again in ${this.everyMs} ms`,
        );
      })
      .finally(() => (this.running = undefined));
    return this.running;
  }
}
