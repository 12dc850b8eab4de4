import { parseArgs } from 'node:util';
import { UsageError } from '../usage-error.js';
import { runEngine, type EngineCase, type EngineFigure } from './run.js';

const cases: readonly EngineCase[] = [
  { agents: 100, skills: 1, bar: 500_000 },
  { agents: 1_000, skills: 1, bar: 300_000 },
  { agents: 10_000, skills: 1, bar: 200_000 },
  { agents: 100_000, skills: 1, bar: 100_000 },
  { agents: 10_000, skills: 2, bar: 100_000 },
];

const usage = `Usage: npm run bench -- engine [options]

Decisions of the distribution engine in memory, on one thread: 20 skills, four of them in each agent, five slots each, 70 %
taken. Each decision chooses the best agent, writes the record, takes the slot, and lets an earlier task end.

  --decisions N   decisions measured in each case (default 300000)
  --assert        exit 1 when a case is below its bar
  --json          print one line of JSON last on standard output, and everything else on standard error
  --help          print this`;

/** The benchmark as the command line knows it. */
export const engine = {
  about: 'decisions of the distribution engine, in memory',

  run(words: readonly string[]): Promise<number> {
    const options = readOptions(words);
    if (options === 'help') {
      console.log(usage);
      return Promise.resolve(0);
    }
    const say = options.json ? console.error : console.log;
    say('agents  skills  decisions/s (CPU time)  p99 µs      bar');
    let isFast = true;
    const figures: EngineFigure[] = [];
    for (const one of cases) {
      const figure = runEngine(one, options.decisions);
      figures.push(figure);
      isFast &&= figure.decisions_per_s >= one.bar;
      say(rowOf(figure, one));
    }
    if (options.json) console.log(JSON.stringify(figures));
    return Promise.resolve(isFast || !options.assert ? 0 : 1);
  },
};

function rowOf({ agents, skills, decisions_per_s, p99_us }: EngineFigure, { bar }: EngineCase): string {
  const columns = [agents, skills, decisions_per_s, p99_us, bar].map((value) => value.toLocaleString('en'));
  const widths = [7, 7, 23, 7, 10];
  return columns.map((text, index) => text.padStart(widths[index] ?? 0)).join(' ');
}

function readOptions(words: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        decisions: { type: 'string', default: '300000' },
        assert: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const decisions = Number(values.decisions);
    if (!Number.isInteger(decisions) || decisions < 1_000 || decisions > 100_000_000)
      throw new Error(`--decisions must be a whole number from 1000, but is "${values.decisions}"`);
    return values.help ? ('help' as const) : { decisions, assert: values.assert, json: values.json };
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}
