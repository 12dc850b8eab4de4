import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What the demo was asked to do. */
export type DemoOptions = {
  /** The directory to audit; that of the checkout when left out. */
  readonly repo: string;
  /** End when the audit is done, instead of staying up. */
  readonly once: boolean;
  /** Print the outcome as one line of JSON on standard output, and everything else on standard error. */
  readonly json: boolean;
};

export const usage = `Usage: npm run demo -- [--repo PATH] [--once] [--json]

Agents audit a git repository together and write a report; one of them is killed on the way.

  --repo PATH  the repository to audit (default: this checkout)
  --once       end when the audit is done, instead of staying up until Ctrl-C
  --json       print the outcome as one line of JSON, last on standard output
  --help       print this`;

/** Why the command line cannot be followed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Surroundings = {
  readonly checkout: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly cwd: string;
};

/** Reads the command line: options, or `help`. Throws UsageError. */
export function readOptions(words: readonly string[], surroundings: Surroundings): DemoOptions | 'help' {
  const values = parse(words);
  if (values.help === true) return 'help';
  if (values.repo === '') throw new UsageError('--repo needs the path of a git repository, but it is empty');
  return {
    repo: values.repo === undefined ? surroundings.checkout : resolve(startedIn(surroundings), values.repo),
    once: values.once === true,
    json: values.json === true,
  };
}

function parse(words: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        repo: { type: 'string' },
        once: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    // What follows the first sentence is about programs called without npm.
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error));
  }
}

/** npm runs scripts in the checkout and tells in INIT_CWD where the user was. */
function startedIn({ environment, cwd }: Surroundings): string {
  return (environment['npm_lifecycle_event'] === 'demo' && environment['INIT_CWD']) || cwd;
}
