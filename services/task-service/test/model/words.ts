import type { Policy } from './model.js';

/** One command as a client says it. Tasks are ids; a fence may be another's, or outdated. */
export type Held = {
  readonly task: string;
  readonly agent: string;
  readonly attempt: number;
  readonly epoch: number;
  /** Said by the agent itself, or over HTTP in its stead. */
  readonly over: 'nats' | 'http';
  readonly commandId: string;
  /** Said again at once, as after a lost answer. */
  readonly isRepeated: boolean;
};

export type NewTask = {
  readonly hold: boolean;
  readonly maxRetries: number;
  readonly needs: readonly { readonly id: string; readonly policy: Policy }[];
};

export type Word =
  | { readonly kind: 'create'; readonly task: NewTask; readonly key: string | null }
  | { readonly kind: 'batch'; readonly maxRetries: number }
  | { readonly kind: 'chain'; readonly policy: Policy }
  | ({ readonly kind: 'spawn'; readonly detached: boolean; readonly maxRetries: number } & Held)
  | { readonly kind: 'release' | 'cancel'; readonly task: string }
  | { readonly kind: 'distribute'; readonly task: string; readonly agent: string }
  | {
      readonly kind: 'assign';
      readonly task: string;
      readonly agent: string;
      readonly ifFull: 'pin' | 'refuse';
    }
  | { readonly kind: 'reassign'; readonly task: string; readonly agent: string | null }
  | ({ readonly kind: 'start' | 'complete' | 'progress' | 'checkpoint' } & Held)
  | ({ readonly kind: 'fail'; readonly retryable: boolean } & Held)
  | ({ readonly kind: 'return'; readonly reason: 'draining' | 'declined' } & Held)
  | ({ readonly kind: 'delegate'; readonly to: string } & Held)
  | {
      readonly kind: 'update';
      readonly task: string;
      readonly priority: number;
      /** The version it was read at, if it is said. */
      readonly version: number | null;
    }
  | { readonly kind: 'reopen' | 'unblock'; readonly task: string }
  | { readonly kind: 'answer'; readonly task: string; readonly isDenied: boolean }
  | ({ readonly kind: 'ask'; readonly reason: 'input' | 'external' } & Held)
  | ({ readonly kind: 'await'; readonly children: 'all' | 'any' } & Held)
  | { readonly kind: 'link'; readonly task: string; readonly needed: string; readonly policy: Policy }
  | { readonly kind: 'unlink'; readonly task: string; readonly needed: string }
  | { readonly kind: 'hello'; readonly agent: string; readonly process: string }
  | {
      readonly kind: 'goodbye';
      readonly agent: string;
      readonly epoch: number;
      readonly mode: 'drain' | 'leave';
    }
  | { readonly kind: 'silent'; readonly agent: string; readonly epoch: number };

/** The words of a kind: several kinds may share one form. */
export type WordOf<Kind extends Word['kind']> = Word extends infer One
  ? One extends { readonly kind: infer Kinds }
    ? Kind extends Kinds
      ? One
      : never
    : never
  : never;
