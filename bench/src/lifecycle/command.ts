import { Interrupted, type Session } from '@baton/stack';
import { readOptions, usage } from './options.js';
import { rates, report, toJsonLine } from './report.js';
import { runLifecycle, type LifecycleResult } from './run.js';

// A tenth of what two cores do.
const floorPerSecond = 300;

/** The benchmark as the command line knows it. */
export const lifecycle = {
  about: 'no-op tasks from create to completion through the whole system',

  async run(words: readonly string[], session: Session): Promise<number> {
    const options = readOptions(words, process.env['INIT_CWD'] ?? process.cwd());
    if (options === 'help') {
      console.log(usage);
      return 0;
    }
    const say = options.json ? console.error : console.log;
    try {
      const result = await runLifecycle(options, session, say);
      const isClean = await session.end();
      say(`\n${report(options, result)}`);
      const isRegular = tellIrregular(result);
      const isFast = !options.assert || tellSlow(rates(options, result).endToEndPerSecond);
      if (options.json) console.log(toJsonLine(options, result));
      return isClean && isRegular && isFast ? 0 : 1;
    } catch (error) {
      console.error(`\n${error instanceof Error ? error.message : String(error)}`);
      await session.end();
      return error instanceof Interrupted ? 130 : 1;
    }
  },
};

/** Says what did not simply complete; whether all did. */
function tellIrregular({ irregular }: LifecycleResult): boolean {
  if (irregular.length === 0) return true;
  const list = irregular.map(({ status, attempt, tasks }) => `${tasks} ${status} at attempt ${attempt}`);
  console.error(`\nExpected every task to complete at its first attempt, but: ${list.join(', ')}.`);
  return false;
}

function tellSlow(endToEndPerSecond: number): boolean {
  if (endToEndPerSecond >= floorPerSecond) return true;
  console.error(
    `\nExpected at least ${floorPerSecond} tasks per second end to end, got ${endToEndPerSecond.toFixed(0)}.`,
  );
  return false;
}
