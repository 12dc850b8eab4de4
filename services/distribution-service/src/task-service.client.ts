import type { Bus } from '@baton/bus';
import { DomainError, ERRORS, parse, type ErrorBody } from '@baton/contracts';
import { z } from 'zod';

const refusal = z.object({
  ok: z.literal(false),
  error: z
    .object({ code: z.string(), message: z.string() })
    .transform((value) => value as Pick<ErrorBody, 'code' | 'message'>),
});

/** Asks task-service. Throws what it refuses with, `UNAVAILABLE` when there is no answer. */
export async function askTaskService<T extends z.ZodType>(
  bus: Bus,
  subject: string,
  body: unknown,
  options: { readonly answer: T; readonly timeoutMs: number },
): Promise<z.output<T>> {
  const answer = await bus.request(subject, body, { timeoutMs: options.timeoutMs });
  const refused = refusal.safeParse(answer);
  if (!refused.success) return parse(options.answer, answer, `the answer to ${subject}`);
  const { code, message } = refused.data.error;
  throw new DomainError(code in ERRORS ? code : 'INTERNAL', message);
}

/** Answers to a batch, one an item in the order of the request. */
export function itemAnswers<T extends z.ZodRawShape>(item: T) {
  return z.object({
    items: z.array(
      z.discriminatedUnion('ok', [
        z.object({ ok: z.literal(true), ...item }),
        z.object({ ok: z.literal(false), error: z.object({ code: z.string(), message: z.string() }) }),
      ]),
    ),
  });
}
