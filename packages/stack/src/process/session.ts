/** How a program ends: what is to be undone, and when the user wants it to. */
export type Session = {
  /** Aborted by the first Ctrl-C (or SIGTERM, SIGHUP). */
  readonly interrupted: AbortSignal;
  /** Adds something to be undone at the end; the last added is undone first. */
  onEnd(undo: () => Promise<void>): void;
  /** Undoes everything, even what one failure would leave; resolves to whether all went well. */
  end(): Promise<boolean>;
};

/** Why a program ended early: the user wanted it to. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** 128 + the signal's number, as shells have it. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
// Ctrl-C reaches us twice, from the terminal and forwarded by npm; that is one wish, not two.
const sameWishMs = 1_000;

/** Listens for interruptions from now on; a second one, more than a second later, ends the process at once. */
export function startSession(say: (line: string) => void): Session {
  const abort = new AbortController();
  const undos: (() => Promise<void>)[] = [];
  let interruptedAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (interruptedAt !== undefined && now - interruptedAt > sameWishMs) process.exit(EXIT_CODES[signal]);
      if (interruptedAt !== undefined) return;
      interruptedAt = now;
      say('\nStopping; press Ctrl-C again to stop at once');
      abort.abort(new Interrupted('Interrupted'));
    });
  }
  return {
    interrupted: abort.signal,
    onEnd: (undo) => void undos.push(undo),
    async end() {
      let isClean = true;
      for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) {
        await undo().catch((error: unknown) => {
          isClean = false;
          say(error instanceof Error ? error.message : String(error));
        });
      }
      return isClean;
    },
  };
}
