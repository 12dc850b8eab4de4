import { parseWords } from '../parse-words.js';
import { wholeNumber } from '../whole-number.js';

/** What the benchmark was asked to do. */
export type FanoutOptions = {
  /** Print one line of JSON last on standard output, and everything else on standard error. */
  readonly json: boolean;
  /** Exit 1 when far from the bars. */
  readonly assert: boolean;
  /** Tasks that wait for one. */
  readonly dependents: number;
  /** Fan-outs measured. */
  readonly rounds: number;
  /** Interactive calls per second meanwhile. */
  readonly rate: number;
};

const defaults = { dependents: 10_000, rounds: 3, rate: 200 } as const;

export const usage = `Usage: npm run bench -- fanout [options]

One task completes for which many wait, on a fresh stack of its own: how long until the last of them is ready, and
how long interactive calls (creates and reads, in turn) take meanwhile.

  --dependents N     tasks that wait for one (default ${defaults.dependents})
  --rounds R         fan-outs, each with tasks of its own (default ${defaults.rounds})
  --rate C           interactive calls per second meanwhile (default ${defaults.rate})
  --assert           exit 1 when ten times slower than the bars
  --json             print one line of JSON last on standard output, and everything else on standard error
  --help             print this`;

/** Reads the command line: options, or `help`. Throws UsageError. */
export function readOptions(words: readonly string[]): FanoutOptions | 'help' {
  const values = parseWords(words, known, usage);
  if (values.help === true) return 'help';
  const number = (name: keyof typeof defaults, max: number) =>
    wholeNumber(name, values[name], { min: 1, max }, usage) ?? defaults[name];
  return {
    json: values.json === true,
    assert: values.assert === true,
    dependents: number('dependents', 100_000),
    rounds: number('rounds', 100),
    rate: number('rate', 5_000),
  };
}

const known = {
  json: { type: 'boolean' },
  assert: { type: 'boolean' },
  dependents: { type: 'string' },
  rounds: { type: 'string' },
  rate: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;
