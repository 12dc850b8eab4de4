import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readSecret } from './settings.js';

let directory: string;
let file: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'baton-secret-'));
  file = join(directory, 'url');
  writeFileSync(file, 'postgres://me:secret@db/baton\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('readSecret', () => {
  it.each([
    ['nothing', {}, undefined],
    ['an empty variable', { URL: '', URL_FILE: '' }, undefined],
    ['a variable', { URL: 'postgres://x' }, 'postgres://x'],
  ])('takes %s', (_what, environment, expected) => {
    expect(readSecret(environment, 'URL')).toBe(expected);
  });

  it('takes the content of a file without its last line break', () => {
    expect(readSecret({ URL_FILE: file }, 'URL')).toBe('postgres://me:secret@db/baton');
  });

  it('refuses to choose between the two', () => {
    expect(() => readSecret({ URL: 'x', URL_FILE: file }, 'URL')).toThrow(
      'URL and URL_FILE are both set. Unset one of them.',
    );
  });

  it('does not take an empty file for a variable that is not set', () => {
    const empty = join(directory, 'empty');
    writeFileSync(empty, '\n');
    expect(() => readSecret({ URL_FILE: empty }, 'URL')).toThrow(`The file ${empty} of URL_FILE is empty.`);
  });

  it('names a file that cannot be read', () => {
    expect(() => readSecret({ URL_FILE: directory }, 'URL')).toThrow(
      `The file ${directory} of URL_FILE cannot be read (EISDIR).`,
    );
  });
});
