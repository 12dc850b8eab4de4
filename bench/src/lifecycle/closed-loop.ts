import { percentiles } from '../measure/percentiles.js';
import { postRequest, startHttpLoad } from '../measure/http-load.js';
import { plainTask } from './task.js';

/** What the client saw of a closed loop. */
export type ClosedLoop = {
  /** From the first request until the last was answered. */
  readonly createMs: number;
  /** From the first request until no task was unfinished. */
  readonly endToEndMs: number;
  /** Request to answer. */
  readonly answerMs: { readonly p50: number; readonly p99: number };
};

const pollMs = 10;

/**
 * Creates `tasks` tasks one by one over HTTP, always `inFlight` of them unanswered, and waits until all have ended.
 * Rejects when a create is answered with anything but 201. Nobody looks at the database before the last answer.
 */
export async function runClosedLoop(options: {
  readonly tasksUrl: string;
  readonly tasks: number;
  readonly inFlight: number;
  readonly hasUnfinished: () => Promise<boolean>;
}): Promise<ClosedLoop> {
  const { tasksUrl, tasks, inFlight, hasUnfinished } = options;
  const request = postRequest(tasksUrl, plainTask);
  const load = startHttpLoad(tasksUrl);
  const answerMs: number[] = [];
  let sent = 0;

  async function worker(): Promise<void> {
    while (sent < tasks) {
      sent += 1;
      const sentAt = performance.now();
      const { status, body } = await load.send(request);
      if (status !== 201) throw new Error(`expected a create to be answered 201, got ${status}: ${body}`);
      answerMs.push(performance.now() - sentAt);
    }
  }

  const startedAt = performance.now();
  try {
    await Promise.all(Array.from({ length: Math.min(inFlight, tasks) }, worker));
    const createMs = performance.now() - startedAt;
    while (await hasUnfinished()) await new Promise((resolve) => setTimeout(resolve, pollMs));
    const endToEndMs = performance.now() - startedAt;
    return { createMs, endToEndMs, answerMs: percentiles(answerMs, { p50: 0.5, p99: 0.99 }) };
  } finally {
    load.close();
  }
}
