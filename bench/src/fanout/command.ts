import { Interrupted, type Session } from '@baton/stack';
import { readOptions, usage, type FanoutOptions } from './options.js';
import { runFanout, type FanoutResult } from './run.js';

// Ten times the bars (1 s; p99 50 ms): machines differ, and what is slower than this is broken.
const slowestUnblockMs = 10_000;
const slowestCallMs = 500;

/** The benchmark as the command line knows it. */
export const fanout = {
  about: 'thousands of tasks that wait for one, and interactive calls meanwhile',

  async run(words: readonly string[], session: Session): Promise<number> {
    const options = readOptions(words);
    if (options === 'help') {
      console.log(usage);
      return 0;
    }
    const say = options.json ? console.error : console.log;
    try {
      const result = await runFanout(options, session, say);
      const isClean = await session.end();
      say(`\n${report(options, result)}`);
      const isFast = !options.assert || tellSlow(result);
      if (options.json) console.log(JSON.stringify({ benchmark: 'fanout', options, ...result }));
      return isClean && isFast ? 0 : 1;
    } catch (error) {
      console.error(`\n${error instanceof Error ? error.message : String(error)}`);
      await session.end();
      return error instanceof Interrupted ? 130 : 1;
    }
  },
};

function report({ dependents, rate }: FanoutOptions, { unblockedMs, calls }: FanoutResult): string {
  const rounds = unblockedMs.map((ms) => `${ms.toFixed(0)} ms`).join(', ');
  const [p50, p99, max] = [calls.p50, calls.p99, calls.max].map((ms) => ms.toFixed(1));
  return [
    `${dependents} tasks ready after the end of the one they waited for: ${rounds}`,
    `Interactive calls meanwhile, ${rate}/s, ${calls.count} in all: p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms`,
  ].join('\n');
}

function tellSlow({ unblockedMs, calls }: FanoutResult): boolean {
  const slowest = Math.max(...unblockedMs);
  if (slowest <= slowestUnblockMs && !(calls.p99 > slowestCallMs)) return true;
  console.error(
    `\nExpected at most ${slowestUnblockMs} ms and a p99 of at most ${slowestCallMs} ms, ` +
      `got ${slowest.toFixed(0)} ms and ${calls.p99.toFixed(1)} ms.`,
  );
  return false;
}
