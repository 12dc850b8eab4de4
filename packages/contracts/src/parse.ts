import type { z } from 'zod';
import { DomainError, type Problem } from './errors.js';

/** Parses `input` once at an edge, or throws `VALIDATION_FAILED` with every problem by JSON pointer. */
export function parse<T extends z.ZodType>(schema: T, input: unknown, what: string): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap(toProblems);
  const first = problems[0];
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  throw new DomainError('VALIDATION_FAILED', `${what}: ${first?.pointer || '/'} ${first?.detail}${more}`, {
    details: { errors: problems },
  });
}

/** A field nobody knows is a problem at its own place, as a field that is wrong. */
function toProblems(issue: z.core.$ZodIssue): readonly Problem[] {
  const { code, message: detail } = issue;
  if (code !== 'unrecognized_keys') return [{ pointer: toPointer(issue.path), code, detail }];
  return issue.keys.map((key) => ({ pointer: toPointer([...issue.path, key]), code, detail }));
}

/** RFC 6901. */
function toPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
