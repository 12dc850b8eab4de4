import type { RunningProcess } from '../process/start-process.js';
import { StackError } from '../stack-error.js';

const reset = '"npm run reset" removes it and begins with an empty database';

// What Postgres writes, in the words of its English messages, and what a person does about it.
const known: readonly (readonly [RegExp, string])[] = [
  [
    /initialized by PostgreSQL version \d+, which is not compatible/,
    `The data was made by another major version of Postgres. Go back to the version of Baton that made it; ${reset}.`,
  ],
  [/No space left on device|Disk quota exceeded/, 'The disk is full. Free some space and start again.'],
  [
    /has wrong ownership|Permission denied/,
    'The data belongs to another user of this machine, perhaps since a start with sudo. ' +
      `Start as that user, or make all of the state directory yours again (chown -R); ${reset}.`,
  ],
  [/could not map anonymous shared memory|Cannot allocate memory/, 'The machine has too little free memory.'],
  [
    /pre-existing shared memory block/,
    'Processes of an earlier Postgres on the same data still run. Wait a moment, or stop them.',
  ],
];

/** Why a program of Postgres ended at its start: what is known to go wrong in words, else its last lines. */
export function startFailure(
  run: Pick<RunningProcess, 'name' | 'logFile'>,
  { lines, data, cause }: { readonly lines: string; readonly data: string; readonly cause?: unknown },
): StackError {
  const found = known.find(([pattern]) => pattern.test(lines));
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  const wrote =
    found === undefined
      ? `${run.name} did not start${reason}. It wrote:\n${lines}\nThe whole log is ${run.logFile}. ` +
        `If the data is damaged, ${reset}; DATABASE_URL switches to a Postgres of your own.`
      : `${run.name} did not start on ${data}: "${lineOf(lines, found[0])}". ${found[1]} The whole log is ${run.logFile}.`;
  return new StackError('POSTGRES_START_FAILED', wrote, { cause });
}

function lineOf(lines: string, pattern: RegExp): string {
  const line = lines.split('\n').find((one) => pattern.test(one)) ?? '';
  return line.replace(/^.*?(?:FATAL|PANIC|ERROR|DETAIL|error): +/, '').replace(/\.$/, '');
}
