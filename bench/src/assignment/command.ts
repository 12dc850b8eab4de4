import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { UsageError } from '../usage-error.js';
import { meanFigures, type Figures } from './figures.js';
import { lineOf, tableOf, type Line } from './report.js';
import { rowsOf, type Row } from './rows.js';
import { simulate } from './simulate.js';

const document = new URL('../../../docs/benchmarks.md', import.meta.url);
const begin = '<!-- npm run bench:assignment writes what follows -->';
const end = '<!-- to here -->';

const usage = `Usage: npm run bench:assignment -- [options]

How well tasks are assigned: the engine as it runs, in virtual time, against simpler ways with the same agents and tasks.
Prints a table and writes it to docs/benchmarks.md.

  --tasks N    tasks of each run (default 100000; learning and large fleets get two to three times as many)
  --seeds N    runs of each line, with seeds 1 to N (default 5; fleets of 1,000 agents and more get one)
  --only TEXT  only scenarios whose names contain it; the document stays as it is
  --assert     exit 1 when a bar is missed
  --json       print one line of JSON last on standard output, and everything else on standard error
  --help       print this`;

/** The simulation as the command line knows it. */
export const assignment = {
  about: 'quality of assignment, in virtual time (also: npm run bench:assignment)',

  run(words: readonly string[]): Promise<number> {
    const options = readOptions(words);
    if (options === 'help') {
      console.log(usage);
      return Promise.resolve(0);
    }
    const say = options.json ? console.error : console.log;
    const lines: Line[] = [];
    for (const row of rowsOf(options.tasks)) {
      if (!row.scenario.name.includes(options.only)) continue;
      const line = runRow(row, options.seeds, lines);
      lines.push(line);
      say(lineOf(line));
    }
    const table = `${options.tasks.toLocaleString('en')} tasks a run, ${options.seeds} seeds.\n\n${tableOf(lines)}`;
    say(`\n${table}`);
    if (options.only === '') write(table);
    if (options.json) console.log(JSON.stringify(lines));
    const isMissed = lines.some(({ missed }) => missed.length > 0);
    return Promise.resolve(isMissed && options.assert ? 1 : 0);
  },
};

function runRow({ scenario, contestant, bars }: Row, seeds: number, before: readonly Line[]): Line {
  const count = scenario.agents >= 1_000 ? 1 : seeds;
  const runs = Array.from({ length: count }, (_, index) => simulate(scenario, contestant, index + 1));
  const figures = meanFigures(runs);
  const other = (name: string): Figures => {
    const line = before.find((one) => one.scenario === scenario.name && one.contestant === name);
    if (line === undefined)
      throw new Error(`"${contestant.name}" is compared with "${name}", which must run before it`);
    return line.figures;
  };
  const missed = bars.filter((bar) => !bar.holds(figures, other)).map(({ says }) => says);
  return { scenario: scenario.name, contestant: contestant.name, figures, missed };
}

function write(table: string): void {
  const text = readFileSync(document, 'utf8');
  const [start, stop] = [text.indexOf(begin), text.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`expected "${begin}" and "${end}" in docs/benchmarks.md`);
  writeFileSync(document, `${text.slice(0, start + begin.length)}\n\n${table}\n\n${text.slice(stop)}`);
}

function readOptions(words: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        tasks: { type: 'string', default: '100000' },
        seeds: { type: 'string', default: '5' },
        only: { type: 'string', default: '' },
        assert: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const numbers = { tasks: Number(values.tasks), seeds: Number(values.seeds) };
    for (const [name, number] of Object.entries(numbers)) {
      if (!Number.isInteger(number) || number < 1)
        throw new Error(
          `--${name} must be a whole number from 1, but is "${values[name as keyof typeof numbers]}"`,
        );
    }
    return values.help ? ('help' as const) : { ...values, ...numbers };
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}
