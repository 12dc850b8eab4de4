import { describe, expect, it } from '@jest/globals';
import * as licences from './licences.js';

describe('manifests', () => {
  it('are known by their names', () => {
    const names = ['package.json', 'a/Cargo.toml', 'go.mod', 'x.csproj', 'requirements-dev.txt', 'main.ts'];
    expect(names.map(licences.ecosystemOf)).toEqual(['npm', 'Rust', 'Go', '.NET', 'Python', undefined]);
  });

  it('count each direct dependency once', () => {
    const text = '{"dependencies":{"a":"1","b":"1"},"devDependencies":{"a":"1"},"license":"MIT"}';
    expect(licences.readManifest(text)).toEqual({ direct: 2, licence: 'MIT' });
  });

  it('that hold no JSON object are told apart', () => {
    for (const text of ['', '{', '[]', '"text"', 'null']) {
      expect(licences.readManifest(text)).toBeUndefined();
      expect(licences.readLockfile(text)).toBeUndefined();
    }
    expect(licences.readManifest('\ufeff{"dependencies":null}')).toEqual({ direct: 0, licence: null });
  });
});

describe('readLockfile', () => {
  it('reads version 3 without the project and its links', () => {
    const packages = {
      '': { name: 'me', license: 'UNLICENSED' },
      'packages/one': { name: 'one' },
      'node_modules/one': { link: true, resolved: 'packages/one' },
      'node_modules/a': { version: '1.0.0', license: 'MIT' },
      'node_modules/a/node_modules/@s/b': { version: '2.0.0' },
    };
    expect(licences.readLockfile(JSON.stringify({ lockfileVersion: 3, packages }))).toEqual([
      { name: 'a', version: '1.0.0', location: 'node_modules/a', licence: 'MIT' },
      { name: '@s/b', version: '2.0.0', location: 'node_modules/a/node_modules/@s/b', licence: null },
    ]);
  });

  it('reads version 1, whose packages lie in each other', () => {
    const dependencies = { a: { version: '1.0.0', dependencies: { b: { version: '2.0.0' } } } };
    expect(licences.readLockfile(JSON.stringify({ lockfileVersion: 1, dependencies }))).toEqual([
      { name: 'a', version: '1.0.0', location: 'node_modules/a', licence: null },
      { name: 'b', version: '2.0.0', location: 'node_modules/a/node_modules/b', licence: null },
    ]);
  });
});

describe('countLicences', () => {
  it('counts each version once, and names those that ask for sources', () => {
    const locked = (name: string, licence: string | null, location = name) => ({
      name,
      version: '1.0.0',
      location,
      licence,
    });
    const counted = licences.countLicences([
      locked('a', 'MIT'),
      locked('a', 'MIT', 'elsewhere'),
      locked('b', 'LGPL-3.0-or-later'),
      locked('c', null),
    ]);
    expect(counted).toMatchObject({ locked: 3, unknown: 1, reciprocal: ['b@1.0.0 (LGPL-3.0-or-later)'] });
    expect(counted.licences).toEqual([
      { licence: 'LGPL-3.0-or-later', packages: 1 },
      { licence: 'MIT', packages: 1 },
    ]);
  });
});

describe('licences', () => {
  it('are read in the forms of long ago, too', () => {
    expect(licences.licenceOf({ license: { type: 'BSD' } })).toBe('BSD');
    expect(licences.licenceOf({ licenses: [{ type: 'MIT' }, 'ISC'] })).toBe('MIT OR ISC');
    expect(licences.licenceOf({ license: ' ' })).toBeNull();
  });

  it('are recognised by their texts and found by their names', () => {
    expect(licences.recogniseLicence('Apache License\n     Version 2.0, January 2004')).toBe('Apache-2.0');
    expect(licences.recogniseLicence('All rights reserved.')).toBe('unrecognised');
    expect(['LICENSE', 'sub/COPYING', 'LICENCE.md', 'LICENSE-MIT'].every(licences.isLicenceFile)).toBe(true);
    expect(['src/license.ts/x', 'licenses', 'a/b/c/LICENSE'].some(licences.isLicenceFile)).toBe(false);
  });
});
