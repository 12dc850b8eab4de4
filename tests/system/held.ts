import type { WireConnection } from '@baton/testkit';

/** What a wire holds back: whatever follows on the connection in that direction waits with it. */
export type Held = {
  /** Cuts the connection; what was held back never arrives. */
  readonly cut: () => void;
  /** Lets everything go on as if nothing had been. */
  readonly release: () => void;
};

/** One direction of a connection that can be held back. */
export type Direction = {
  readonly send: (bytes: Buffer) => void;
  /** Keeps these bytes and all that follow. */
  readonly hold: (bytes: Buffer) => Held;
};

/** Sends through `pass` until told to hold. */
export function direction(pass: (bytes: Buffer) => void, { cut }: WireConnection): Direction {
  let kept: Buffer[] | undefined;
  return {
    send: (bytes) => void (kept === undefined ? pass(bytes) : kept.push(bytes)),
    hold: (bytes) => {
      kept = [bytes];
      const release = () => {
        kept?.forEach(pass);
        kept = undefined;
      };
      return { cut, release };
    },
  };
}

/** What a test waits for on a wire, at most one thing at a time. */
export type Wish<Wanted, Granted> = {
  /** What is waited for and has not come yet. */
  readonly current: () => Wanted | undefined;
  /** It has come. */
  readonly grant: (granted: Granted) => void;
  /** Waits for it; rejects when something else is waited for. */
  readonly next: (wanted: Wanted) => Promise<Granted>;
};

export function wish<Wanted, Granted>(): Wish<Wanted, Granted> {
  let open: { readonly wanted: Wanted; readonly resolve: (granted: Granted) => void } | undefined;
  return {
    current: () => open?.wanted,
    grant: (granted) => {
      open?.resolve(granted);
      open = undefined;
    },
    next: (wanted) =>
      new Promise((resolve, reject) => {
        if (open === undefined) open = { wanted, resolve };
        else reject(new Error('the wire already waits for something'));
      }),
  };
}
