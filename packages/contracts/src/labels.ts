import { z } from 'zod';
import { text } from './json.js';
import { LIMITS } from './limits.js';

/** What an agent is besides its capabilities, such as `region: eu`. */
export const labels = z
  .record(text({ maxCharacters: 63 }), text({ maxCharacters: 255 }))
  .refine((value) => Object.keys(value).length <= LIMITS.tags, `at most ${LIMITS.tags} labels`);
export type Labels = Readonly<z.infer<typeof labels>>;

/** The share of the labels asked for that an agent has, with the same value: 0..1, 1 when none is asked for. */
export function labelsMet(having: Labels, asked: Labels): number {
  const names = Object.keys(asked);
  if (names.length === 0) return 1;
  return (
    names.filter((name) => Object.hasOwn(having, name) && having[name] === asked[name]).length / names.length
  );
}
