import { setTimeout as delay } from 'node:timers/promises';
import { sharedClockMs } from '../measure/clock.js';
import { postRequest, startHttpLoad } from '../measure/http-load.js';
import { timedTask } from './task.js';

/** When each create was sent, by task id, on the clock all processes share. */
export type SendTimes = ReadonlyMap<string, number>;

/**
 * Sends `rate` creates per second for `seconds`, each at its own time whether or not earlier ones were answered.
 * Resolves when all are answered; rejects when one is answered with anything but 201.
 */
export async function runOpenLoop(options: {
  readonly tasksUrl: string;
  readonly rate: number;
  readonly seconds: number;
}): Promise<SendTimes> {
  const { tasksUrl, rate, seconds } = options;
  const request = postRequest(tasksUrl, timedTask);
  const load = startHttpLoad(tasksUrl);
  const sendTimes = new Map<string, number>();

  async function create(): Promise<void> {
    const sentMs = sharedClockMs();
    const { status, body } = await load.send(request);
    if (status !== 201) throw new Error(`expected a create to be answered 201, got ${status}: ${body}`);
    sendTimes.set((JSON.parse(body) as { id: string }).id, sentMs);
  }

  const answers: Promise<void>[] = [];
  const startedMs = sharedClockMs();
  try {
    for (let index = 0; index < rate * seconds; index += 1) {
      const waitMs = startedMs + (index * 1_000) / rate - sharedClockMs();
      if (waitMs > 0) await delay(waitMs);
      answers.push(create());
      answers.at(-1)?.catch(() => undefined);
    }
    await Promise.all(answers);
    return sendTimes;
  } finally {
    load.close();
  }
}
