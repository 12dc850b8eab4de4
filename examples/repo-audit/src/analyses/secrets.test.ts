import { describe, expect, it } from '@jest/globals';
import { findSecrets } from './secrets.js';

// Put together here, so that nothing in this repository looks like a secret.
const awsKey = ['AKIA', 'ABCDEFGHIJKLMNOP'].join('');
const token = `ghp_${'a1'.repeat(18)}`;
const keyHeader = ['-----BEGIN', 'RSA', 'PRIVATE', 'KEY-----'].join(' ');

describe('findSecrets', () => {
  it('names the line and the kind, never the secret', () => {
    const found = findSecrets(`one\n${keyHeader}\n\nid=${awsKey} token=${token}\n`);
    expect(found).toEqual([
      { line: 2, kind: 'private key' },
      { line: 4, kind: 'AWS access key id' },
      { line: 4, kind: 'GitHub token' },
    ]);
    expect(JSON.stringify(found)).not.toContain(token);
  });

  it('is silent about ordinary text', () => {
    expect(findSecrets('AKIA\nghp_short\n-----BEGIN PUBLIC KEY-----\npassword = "hunter2"\n')).toEqual([]);
  });
});
