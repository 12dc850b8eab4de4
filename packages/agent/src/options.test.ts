import { describe, expect, it } from '@jest/globals';
import { readOptions } from './options.js';

const told = (options: object) => () => readOptions({ id: 'scribe', handler: () => null, ...options });

describe('the options of an agent', () => {
  it.each([
    ['an id with a dot', { id: 'my.agent' }, 'createAgent: id: / expected 1 to 64 of A-Z a-z 0-9 _ -'],
    [
      'no handler',
      { handler: undefined },
      'createAgent: expected handler to be a function (task, context), got undefined',
    ],
    [
      'one capability instead of a list',
      { capabilities: 'read' },
      "expected capabilities to be a list, got string; write ['summarise']",
    ],
    ['a level above 1', { capabilities: [{ name: 'read', level: 9 }] }, '/capabilities/0/level'],
    ['an address of another kind', { servers: 'http://127.0.0.1:4222' }, 'got "http://127.0.0.1:4222"'],
    ['an address that is none', { servers: 'nats://a:4222,nats://b:port' }, 'got "nats://b:port"'],
    [
      'an address with a password',
      { servers: 'nats://me:hunter2@a:4222' },
      'got "nats://(hidden)@a:4222"; leave out user and password',
    ],
  ])('%s is refused with what was expected', (_what, options, message) => {
    expect(told(options)).toThrow(message);
  });

  it('take a bare name for level 1, and an address without its scheme', () => {
    const { capabilities, servers } = told({ capabilities: ['read'], servers: 'a:4222, b' })();
    expect(capabilities).toEqual([{ name: 'read', level: 1 }]);
    expect(servers).toBe('a:4222, b');
  });
});
