import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout this program is part of. */
export const checkoutDirectory = resolve(fileURLToPath(new URL('../../../', import.meta.url)));

/** The state directory of the checkout: used when nothing else is asked for, and where programs are kept. */
export const checkoutState = join(checkoutDirectory, '.baton');

/** Where the commands keep state: BATON_DIRECTORY, else `.baton` of the checkout. */
export function chosenState(environment: NodeJS.ProcessEnv = process.env): string {
  const chosen = environment['BATON_DIRECTORY'];
  if (chosen === undefined || chosen === '') return checkoutState;
  // npm runs scripts in the checkout and tells in INIT_CWD where the user was.
  return resolve(environment['INIT_CWD'] ?? process.cwd(), chosen);
}
