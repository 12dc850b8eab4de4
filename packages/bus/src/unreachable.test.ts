import { describe, expect, it } from '@jest/globals';
import { explainUnreachable } from './unreachable.js';

const refused = new Error('connection refused', {
  cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }),
});
const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND nats'), { code: 'ENOTFOUND' });

describe('explainUnreachable', () => {
  it.each([
    ['nothing listens', refused, 'nothing listens there; start that nats-server or correct host and port'],
    ['the host is unknown', unknown, 'the host name cannot be found (ENOTFOUND); correct it'],
    [
      'it hangs',
      new Error('timeout'),
      'no answer; check the address and what is between (firewall, network)',
    ],
    ['it refuses us', new Error('Authorization Violation'), 'it refuses our credentials; correct them'],
    ['something else', new Error('odd'), 'odd; check the address and that server'],
  ])('tells in one line when %s', (_when, error, expected) => {
    expect(explainUnreachable(error, 'nats://n:4222')).toBe(
      `NATS_URL: NATS at nats://n:4222 cannot be reached: ${expected}; trying again until it is`,
    );
  });

  it('shows no password', () => {
    const text = explainUnreachable(refused, 'nats://me:hunter2@a:1, tls://token@b:2');
    expect(text).toContain('NATS at nats://a:1, tls://b:2 cannot');
  });
});
