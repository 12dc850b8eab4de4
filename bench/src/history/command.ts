import { Interrupted, type Session } from '@baton/stack';
import { readOptions, usage } from './options.js';
import { report, toJsonLine } from './report.js';
import { runHistory, type HistoryResult } from './run.js';

const slowestPageMs = 50;

/** The benchmark as the command line knows it. */
export const history = {
  about: 'lists of tasks with a million finished ones in the tables',

  async run(words: readonly string[], session: Session): Promise<number> {
    const options = readOptions(words);
    if (options === 'help') {
      console.log(usage);
      return 0;
    }
    const say = options.json ? console.error : console.log;
    try {
      const result = await runHistory(options, session, say);
      const isClean = await session.end();
      say(`\n${report(options, result)}`);
      const isFast = !options.assert || tellSlow(result);
      if (options.json) console.log(toJsonLine(options, result));
      return isClean && isFast ? 0 : 1;
    } catch (error) {
      console.error(`\n${error instanceof Error ? error.message : String(error)}`);
      await session.end();
      return error instanceof Interrupted ? 130 : 1;
    }
  },
};

function tellSlow({ lists }: HistoryResult): boolean {
  const slow = lists.filter(({ ms }) => ms.p95 > slowestPageMs);
  for (const { fields, sort, isSearch, ms } of slow) {
    const list = `${fields} by ${sort}${isSearch ? ', searched' : ''}`;
    console.error(`\nExpected a p95 of at most ${slowestPageMs} ms for ${list}, got ${ms.p95.toFixed(1)}.`);
  }
  return slow.length === 0;
}
