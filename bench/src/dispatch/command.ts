import { Interrupted, type Session } from '@baton/stack';
import { parseWords } from '../parse-words.js';
import { wholeNumber } from '../whole-number.js';
import { runDispatch, type DispatchResult } from './run.js';

// Ten times what the design asks for: machines differ, and what is slower than this is broken.
const slowestOfferMs = 100;
const slowestHelloMs = 1_000;
const defaults = { tasks: 300, hellos: 10 } as const;

const usage = `Usage: npm run bench -- dispatch [options]

How quickly single tasks come to an agent, on a fresh stack of its own that has nothing else to do: from the create
to the offer where an agent is free, and from the hello of the first agent that can do a task to its assignment.

  --tasks N          tasks created one after the other (default ${defaults.tasks})
  --hellos N         tasks that wait for an agent to come (default ${defaults.hellos})
  --assert           exit 1 when ten times slower than the design asks for
  --json             print one line of JSON last on standard output, and everything else on standard error
  --help             print this`;

/** The benchmark as the command line knows it. */
export const dispatch = {
  about: 'single tasks from create to offer, and from hello to assignment',

  async run(words: readonly string[], session: Session): Promise<number> {
    const values = parseWords(words, known, usage);
    if (values.help === true) {
      console.log(usage);
      return 0;
    }
    const number = (name: keyof typeof defaults) =>
      wholeNumber(name, values[name], { min: 1, max: 100_000 }, usage) ?? defaults[name];
    const options = { tasks: number('tasks'), hellos: number('hellos') };
    const say = values.json === true ? console.error : console.log;
    try {
      const result = await runDispatch(options, session, say);
      const isClean = await session.end();
      say(`\n${report(result)}`);
      const isFast = values.assert !== true || tellSlow(result);
      if (values.json === true) console.log(JSON.stringify({ benchmark: 'dispatch', ...options, ...result }));
      return isClean && isFast ? 0 : 1;
    } catch (error) {
      console.error(`\n${error instanceof Error ? error.message : String(error)}`);
      await session.end();
      return error instanceof Interrupted ? 130 : 1;
    }
  },
};

const known = {
  json: { type: 'boolean' },
  assert: { type: 'boolean' },
  tasks: { type: 'string' },
  hellos: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

function report({ offerMs, helloMs }: DispatchResult): string {
  return [`Create to offer: ${line(offerMs)}`, `Hello to assignment: ${line(helloMs)}`].join('\n');
}

function line({ p50, p99, max }: DispatchResult['offerMs']): string {
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, longest ${max.toFixed(1)} ms`;
}

function tellSlow({ offerMs, helloMs }: DispatchResult): boolean {
  if (offerMs.p50 <= slowestOfferMs && helloMs.max <= slowestHelloMs) return true;
  console.error(
    `\nExpected offers within ${slowestOfferMs} ms (p50) and assignments within ${slowestHelloMs} ms of every hello.`,
  );
  return false;
}
