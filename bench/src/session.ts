/** How a program ends: what is to be undone, and when the user wants it to. */
export type Session = {
  /** Rejects with Interrupted at the first Ctrl-C (or SIGTERM, SIGHUP). */
  readonly interrupted: Promise<never>;
  /** Adds something to be undone at the end; the last added is undone first. */
  onEnd(undo: () => Promise<void>): void;
  /** Undoes everything, even what one failure would leave; resolves to whether all went well. */
  end(): Promise<boolean>;
};

/** Why a benchmark ended early when the user wanted it to. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
// Ctrl-C reaches us twice, from the terminal and forwarded by npm; that is one wish, not two.
const sameWishMs = 1_000;

/** Listens for interruptions from now on; a second one, more than a second later, ends the process at once. */
export function startSession(say: (line: string) => void): Session {
  const undos: (() => Promise<void>)[] = [];
  let interruptedAt: number | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of signals) {
      process.on(signal, () => {
        const now = performance.now();
        // The guard of our children stops those that are still up.
        if (interruptedAt !== undefined && now - interruptedAt > sameWishMs) process.exit(130);
        if (interruptedAt !== undefined) return;
        interruptedAt = now;
        say('\nStopping; press Ctrl-C again to stop at once');
        reject(new Interrupted('The benchmark was interrupted'));
      });
    }
  });
  interrupted.catch(() => undefined);
  return {
    interrupted,
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
