import { parseWords } from '../parse-words.js';
import { wholeNumber } from '../whole-number.js';

/** What the benchmark was asked to do. */
export type HistoryOptions = {
  /** Print one line of JSON last on standard output, and everything else on standard error. */
  readonly json: boolean;
  /** Exit 1 when a list takes longer than it may. */
  readonly assert: boolean;
  /** Finished tasks in the tables. */
  readonly tasks: number;
  /** Tasks that wait and nobody can take, newer than the finished ones. */
  readonly backlog: number;
  /** Pages read of each list in each order. */
  readonly pages: number;
  /** Tasks of each closed loop, before and after the tables are filled; 0 leaves them out. */
  readonly lifecycles: number;
};

const defaults = { tasks: 1_000_000, backlog: 100_000, pages: 100, lifecycles: 5_000 } as const;

export const usage = `Usage: npm run bench -- history [options]

Lists of tasks with a long history in the tables, over HTTP, on a fresh stack of its own: every filter in every order
the service says it supports, and each once more with a text to look for that no task has. Before and after the tables
are filled, tasks go through the whole system, to tell what the history costs them.

  --tasks N        finished tasks with their events, made by statements (default ${defaults.tasks})
  --backlog B      tasks that wait beside them and nobody can take (default ${defaults.backlog})
  --pages P        pages read of each list in each order (default ${defaults.pages})
  --lifecycles L   tasks of each of the two loops through the system (default ${defaults.lifecycles}; 0 leaves them out)
  --assert         exit 1 when the p95 of a list is above 50 ms
  --json           print one line of JSON last on standard output, and everything else on standard error
  --help           print this`;

/** Reads the command line: options, or `help`. Throws UsageError. */
export function readOptions(words: readonly string[]): HistoryOptions | 'help' {
  const values = parseWords(words, known, usage);
  if (values.help === true) return 'help';
  const number = (name: keyof typeof defaults, range: { readonly min: number; readonly max: number }) =>
    wholeNumber(name, values[name], range, usage) ?? defaults[name];
  return {
    json: values.json === true,
    assert: values.assert === true,
    tasks: number('tasks', { min: 1_000, max: 100_000_000 }),
    backlog: number('backlog', { min: 0, max: 10_000_000 }),
    pages: number('pages', { min: 1, max: 10_000 }),
    lifecycles: number('lifecycles', { min: 0, max: 1_000_000 }),
  };
}

const known = {
  json: { type: 'boolean' },
  assert: { type: 'boolean' },
  tasks: { type: 'string' },
  backlog: { type: 'string' },
  pages: { type: 'string' },
  lifecycles: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;
