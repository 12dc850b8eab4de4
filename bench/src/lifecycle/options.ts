import { resolve } from 'node:path';
import { parseWords } from '../parse-words.js';
import { wholeNumber } from '../whole-number.js';

/** What the benchmark was asked to do. */
export type LifecycleOptions = {
  /** Print one line of JSON last on standard output, and everything else on standard error. */
  readonly json: boolean;
  /** Exit 1 when far below what any machine should reach. */
  readonly assert: boolean;
  /** Tasks of the closed loop. */
  readonly tasks: number;
  /** Creates in flight in the closed loop. */
  readonly inFlight: number;
  readonly agents: number;
  /** Slots of each agent. */
  readonly slots: number;
  /** Creates per second in the open loop; 0 leaves it out. */
  readonly rate: number;
  readonly rateSeconds: number;
  /** Where profiles of the closed loop are written, if at all. */
  readonly profile: string | undefined;
};

// 1,000 slots for about a hundred tasks in the system at once: never the bottleneck. More agents make messages
// smaller, fewer make them larger (docs/benchmarks.md); twenty are an ordinary small fleet.
const defaults = {
  tasks: 20_000,
  'in-flight': 64,
  agents: 20,
  slots: 50,
  rate: 200,
  'rate-seconds': 10,
} as const;

export const usage = `Usage: npm run bench -- lifecycle [options]

No-op tasks through the whole system, from a single create over HTTP to the agent's completion, on a fresh
stack of its own: first a closed loop for throughput, then an open loop for the time from create to start.

  --tasks N          tasks of the closed loop (default ${defaults.tasks})
  --in-flight K      creates in flight in the closed loop (default ${defaults['in-flight']})
  --agents A         agents, all in one process (default ${defaults.agents})
  --slots S          slots of each agent (default ${defaults.slots})
  --rate R           creates per second in the open loop (default ${defaults.rate}; 0 leaves it out)
  --rate-seconds T   its length (default ${defaults['rate-seconds']})
  --profile DIR      write CPU profiles of the services, the agents and the statements of Postgres over the
                     closed loop to DIR and print what costs most (not on Windows; costs speed itself)
  --assert           exit 1 when a lower limit, ten times below the usual, is missed
  --json             print one line of JSON last on standard output, and everything else on standard error
  --help             print this`;

/** Reads the command line: options, or `help`. Throws UsageError. */
export function readOptions(words: readonly string[], cwd: string): LifecycleOptions | 'help' {
  const values = parseWords(words, known, usage);
  if (values.help === true) return 'help';
  const number = (name: keyof typeof defaults, range: { readonly min: number; readonly max: number }) =>
    wholeNumber(name, values[name], range, usage) ?? defaults[name];
  return {
    json: values.json === true,
    assert: values.assert === true,
    tasks: number('tasks', { min: 1, max: 10_000_000 }),
    inFlight: number('in-flight', { min: 1, max: 4_096 }),
    agents: number('agents', { min: 1, max: 1_000 }),
    slots: number('slots', { min: 1, max: 1_000 }),
    rate: number('rate', { min: 0, max: 5_000 }),
    rateSeconds: number('rate-seconds', { min: 1, max: 600 }),
    profile: values.profile === undefined ? undefined : resolve(cwd, values.profile),
  };
}

const known = {
  json: { type: 'boolean' },
  assert: { type: 'boolean' },
  tasks: { type: 'string' },
  'in-flight': { type: 'string' },
  agents: { type: 'string' },
  slots: { type: 'string' },
  rate: { type: 'string' },
  'rate-seconds': { type: 'string' },
  profile: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;
