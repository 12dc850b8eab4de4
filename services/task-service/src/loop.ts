import type { Logger } from 'pino';

/** Work repeated at an interval: one run at a time, a failed run is logged and left to the next. */
export class Loop {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly name: string,
    private readonly everyMs: number,
    private readonly runOnce: () => Promise<void>,
    private readonly logger: Logger,
  ) {}

  /** Safe to call twice. */
  start(): void {
    this.timer ??= setInterval(() => void this.run(), this.everyMs);
  }

  /** Resolves when a run under way has ended; safe to call twice. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.running;
  }

  /** Runs now, or joins the run under way; never rejects. */
  run(): Promise<void> {
    this.running ??= this.runOnce()
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
