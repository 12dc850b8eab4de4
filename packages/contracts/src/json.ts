import { z } from 'zod';
import { LIMITS } from './limits.js';

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

// Postgres cannot store NUL in text or jsonb, and UTF-8 cannot carry a lone surrogate: refused here, never a 500.
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** Says what is wrong with `value` as stored JSON, or nothing. Walks iteratively: depth is data of the sender. */
export function jsonProblem(value: unknown, maxBytes: number): string | undefined {
  const pending: { value: unknown; depth: number }[] = [{ value, depth: 1 }];
  for (let entry = pending.pop(); entry; entry = pending.pop()) {
    const { value: current, depth } = entry;
    if (typeof current === 'string') {
      if (UNSTORABLE.test(current)) return 'text must not contain NUL or lone surrogates';
    } else if (typeof current === 'number') {
      if (!Number.isFinite(current)) return 'numbers must be finite';
    } else if (typeof current === 'object' && current !== null) {
      if (depth > LIMITS.jsonDepth) return `nested deeper than ${LIMITS.jsonDepth} levels`;
      for (const key of Object.keys(current)) {
        if (FORBIDDEN_KEYS.has(key)) return `the key ${JSON.stringify(key)} is not allowed`;
        if (UNSTORABLE.test(key)) return 'keys must not contain NUL or lone surrogates';
        pending.push({ value: (current as Record<string, unknown>)[key], depth: depth + 1 });
      }
    } else if (current !== null && typeof current !== 'boolean') {
      return `expected JSON, got ${typeof current}`;
    }
  }
  const bytes = Buffer.byteLength(JSON.stringify(value));
  return bytes > maxBytes ? `at most ${maxBytes} bytes of JSON, got ${bytes}` : undefined;
}

function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON object of at most `maxBytes`, shallow and clean enough to store. */
export function jsonObjectOf(maxBytes: number) {
  return z.unknown().transform((value, context): JsonObject => {
    const problem = isRecord(value) ? jsonProblem(value, maxBytes) : 'expected a JSON object';
    if (problem === undefined) return value as JsonObject;
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  });
}

/** A JSON object small, shallow and clean enough to store. */
export const jsonObject = jsonObjectOf(LIMITS.payloadBytes);

/** Any JSON value small, shallow and clean enough to store. */
export const jsonValue = z.unknown().transform((value, context): JsonValue => {
  const problem =
    value === undefined ? 'expected JSON, got nothing' : jsonProblem(value, LIMITS.payloadBytes);
  if (problem === undefined) return value as JsonValue;
  context.addIssue({ code: 'custom', message: problem });
  return z.NEVER;
});

/** Text that Postgres can store, of at most `maxCharacters` characters and `maxBytes` bytes. */
export function text(limits: { min?: number; maxCharacters?: number; maxBytes?: number }) {
  return z
    .string()
    .min(limits.min ?? 0)
    .max(limits.maxCharacters ?? limits.maxBytes ?? LIMITS.payloadBytes)
    .refine((value) => !UNSTORABLE.test(value), 'must not contain NUL or lone surrogates')
    .refine((value) => limits.maxBytes === undefined || Buffer.byteLength(value) <= limits.maxBytes, {
      message: `at most ${limits.maxBytes} bytes`,
    });
}
