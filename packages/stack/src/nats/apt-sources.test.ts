import { describe, expect, it } from '@jest/globals';

import { parseListFile, parseSourcesFile } from './apt-sources.js';

describe('parseListFile', () => {
  it('reads binary sources with what concerns signatures, and skips the rest', () => {
    const second = 'http://b.example';
    const text = `# comment
deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] https://archive.example/debian bookworm main contrib # mine
deb-src https://archive.example/debian bookworm main
deb ${second} trixie main`;
    expect(parseListFile(text)).toEqual([
      {
        uri: 'https://archive.example/debian',
        suites: ['bookworm'],
        components: ['main', 'contrib'],
        options: ['signed-by=/usr/share/keyrings/a.gpg'],
      },
      { uri: second, suites: ['trixie'], components: ['main'], options: [] },
    ]);
  });
});

describe('parseSourcesFile', () => {
  it('reads stanzas, one source for each address', () => {
    const text = `Types: deb deb-src
# a comment between
URIs: http://a.example/debian http://b.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/a.gpg

Types: deb
URIs: http://c.example
Suites: sid
Components: main
Enabled: no
`;
    const common = {
      suites: ['bookworm', 'bookworm-updates'],
      components: ['main'],
      options: ['signed-by=/usr/share/keyrings/a.gpg'],
    };
    expect(parseSourcesFile(text)).toEqual([
      { uri: 'http://a.example/debian', ...common },
      { uri: 'http://b.example/debian', ...common },
    ]);
  });

  it('leaves out a key that stands in the stanza itself', () => {
    const text = `Types: deb
URIs: http://a.example
Suites: sid
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----
`;
    expect(parseSourcesFile(text)).toEqual([
      { uri: 'http://a.example', suites: ['sid'], components: ['main'], options: [] },
    ]);
  });
});
