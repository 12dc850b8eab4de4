import { setTimeout as delay } from 'node:timers/promises';

/** How long to ask, and what to say when it was in vain. */
export interface UntilOptions {
  /** Gives up after this; when left out 40 s, in which the reconciler has been by for what a lost hint left. */
  readonly timeoutMs?: number;
  /** The time between two questions; 10 ms when left out. */
  readonly intervalMs?: number;
  /** What was expected or what is there instead; part of the error. */
  readonly describe?: string | (() => unknown);
}

/**
 * Asks until the answer is truthy, and returns it. A condition that throws is asked again too: a test
 * may say what must become true with `expect` or by a request that fails at first.
 */
export async function until<Answer>(
  condition: () => Answer | Promise<Answer>,
  options: UntilOptions = {},
): Promise<NonNullable<Answer>> {
  const { timeoutMs = 40_000, intervalMs = 10 } = options;
  const end = performance.now() + timeoutMs;
  for (;;) {
    const outcome = await ask(condition);
    if ('answer' in outcome && outcome.answer) return outcome.answer;
    if (performance.now() >= end) throw await gaveUp(outcome, timeoutMs, options.describe);
    await delay(intervalMs);
  }
}

type Outcome<Answer> = { readonly answer: Answer } | { readonly failure: unknown };

async function ask<Answer>(condition: () => Answer | Promise<Answer>): Promise<Outcome<Answer>> {
  try {
    return { answer: await condition() };
  } catch (failure) {
    return { failure };
  }
}

async function gaveUp(
  outcome: Outcome<unknown>,
  timeoutMs: number,
  describe: UntilOptions['describe'],
): Promise<Error> {
  const told: unknown = typeof describe === 'function' ? await describe() : describe;
  const expected = typeof told === 'string' || told === undefined ? told : JSON.stringify(told);
  const lines = [
    `The condition was not met within ${timeoutMs} ms${expected === undefined ? '.' : `: ${expected}`}`,
  ];
  if ('failure' in outcome) {
    lines.push(
      `It last threw: ${outcome.failure instanceof Error ? outcome.failure.message : String(outcome.failure)}`,
    );
    return new Error(lines.join('\n'), { cause: outcome.failure });
  }
  lines.push(`It last gave: ${JSON.stringify(outcome.answer)}`);
  return new Error(lines.join('\n'));
}
