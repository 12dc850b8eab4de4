import { chosenState } from '../checkout.js';
import { StackError } from '../stack-error.js';
import { resetState } from '../state/reset-state.js';
import { knownWords } from './command-line.js';

const kept = knownWords('npm run reset', ['--all']) === '--all' ? [] : ['bin'];
const directory = chosenState();

try {
  const removed = await resetState({ directory, kept, report: console.error });
  console.log(summary(removed));
} catch (cause) {
  console.error(cause instanceof StackError ? cause.message : cause);
  process.exitCode = 1;
}

function summary(removed: readonly string[]): string {
  const rest = kept.length > 0 ? ' nats-server itself is kept; "npm run reset -- --all" removes it too.' : '';
  if (removed.length === 0) return `There was nothing to remove in ${directory}.${rest}`;
  return `Removed from ${directory}: ${removed.join(', ')}.${rest}`;
}
