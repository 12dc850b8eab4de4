import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout this program is part of. */
export const checkoutDirectory = resolve(fileURLToPath(new URL('../../../', import.meta.url)));

/** The state directory of the checkout, which `npm start` uses and `npm run reset` empties. */
export const checkoutState = join(checkoutDirectory, '.baton');
