import { assignment } from './assignment/command.js';
import { dispatch } from './dispatch/command.js';
import { engine } from './engine/command.js';
import { fanout } from './fanout/command.js';
import { history } from './history/command.js';
import { lifecycle } from './lifecycle/command.js';
import { startSession, type Session } from '@baton/stack';
import { UsageError } from './usage-error.js';

/** A benchmark as the command line knows it. */
type Benchmark = {
  readonly about: string;
  /** Resolves to the exit code. Throws UsageError when the options cannot be followed. */
  run(words: readonly string[], session: Session): Promise<number>;
};

const benchmarks: Readonly<Record<string, Benchmark>> = {
  assignment,
  dispatch,
  engine,
  fanout,
  history,
  lifecycle,
};

const [name = '', ...words] = process.argv.slice(2);
process.exit(await main());

async function main(): Promise<number> {
  if (name === '' || name === '--help' || name === '-h') {
    console.log(overview());
    return 0;
  }
  const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
  if (benchmark === undefined) {
    console.error(`There is no benchmark ${JSON.stringify(name)}.\n\n${overview()}`);
    return 2;
  }
  try {
    return await benchmark.run(words, startSession(console.error));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return 2;
  }
}

function overview(): string {
  const list = Object.entries(benchmarks).map(([key, { about }]) => `  ${key.padEnd(12)}${about}`);
  return `Usage: npm run bench -- NAME [options]    ("npm run bench -- NAME --help" says which)\n\n${list.join('\n')}`;
}
