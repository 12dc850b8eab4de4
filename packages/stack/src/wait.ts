import { setTimeout as delay } from 'node:timers/promises';

/** Asks again every `intervalMs` until the answer is not undefined; undefined once `deadlineMs` have passed. */
export async function waitFor<Answer>(
  ask: () => Promise<Answer | undefined> | Answer | undefined,
  limits: { readonly deadlineMs: number; readonly intervalMs?: number },
): Promise<Answer | undefined> {
  const end = performance.now() + limits.deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined || performance.now() >= end) return answer;
    await delay(limits.intervalMs ?? 20);
  }
}
