import { execFileSync } from 'node:child_process';

import { describe, expect, it } from '@jest/globals';

import { checkoutState } from '../checkout.js';
import { credentialsLine } from './overview.js';

/** What a shell has in the variable after the line, where npm prints the directory it is told. */
function pasted(line: string): string {
  const script = `npm() { printf %s "$BATON_DIRECTORY"; }; ${line}; printf %s "$BATON_NATS_CREDENTIALS_FILE"`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8', env: {} });
}

describe('the line that gives a shell credentials', () => {
  it.each(['/srv/baton', "/home/ada/Ada's état $HOME"])('names the state in %s', (directory) => {
    expect(pasted(credentialsLine(directory))).toBe(directory);
  });

  it('names none for the state of the checkout', () => {
    expect(credentialsLine(checkoutState)).toContain('=$(npm run --silent credentials -- hello)');
  });
});
