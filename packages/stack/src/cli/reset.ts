import { checkoutState } from '../checkout.js';
import { StackError } from '../stack-error.js';
import { resetState } from '../state/reset-state.js';

const options = process.argv.slice(2);

try {
  const isKnown = options.length === 0 || (options.length === 1 && options[0] === '--all');
  if (!isKnown) {
    const message = `"npm run reset" takes nothing or "-- --all", but got "${options.join(' ')}".`;
    throw new StackError('INVALID_SETTING', message);
  }
  const kept = options.length === 0 ? ['bin'] : [];
  const removed = await resetState({ directory: checkoutState, kept, report: console.error });
  console.log(summary(removed, kept));
} catch (cause) {
  console.error(cause instanceof StackError ? cause.message : cause);
  process.exitCode = 1;
}

function summary(removed: readonly string[], kept: readonly string[]): string {
  const rest = kept.length > 0 ? ' nats-server itself is kept; "npm run reset -- --all" removes it too.' : '';
  if (removed.length === 0) return `There was nothing to remove in ${checkoutState}.${rest}`;
  return `Removed from ${checkoutState}: ${removed.join(', ')}.${rest}`;
}
