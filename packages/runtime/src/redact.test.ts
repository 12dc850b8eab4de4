import { describe, expect, it } from '@jest/globals';
import { redact } from './redact.js';

const JWT = 'eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJhZ2VudCJ9.c2lnbmF0dXJl';
const SEED = `SU${'A2'.repeat(28)}`;

describe('a line of the log', () => {
  it.each([
    ['{"headers":{"authorization":"x y","host":"h"}}', '{"headers":{"authorization":"(hidden)","host":"h"}}'],
    ['{"a":{"password": "a\\"b","n":1}}', '{"a":{"password": "(hidden)","n":1}}'],
    ['{"access_token":"abc","apiKey":"def"}', '{"access_token":"(hidden)","apiKey":"(hidden)"}'],
    ['cannot reach postgres://baton:s3cret@db:5432/baton', 'cannot reach postgres://(hidden)@db:5432/baton'],
    ['nats://token@nats:4222,tls://u:p@b', 'nats://(hidden)@nats:4222,tls://(hidden)@b'],
    ['got "Authorization: Bearer abcdefghijkl"', 'got "Authorization: Bearer (hidden)"'],
    [`{"msg":"refused ${JWT}"}`, '{"msg":"refused (hidden)"}'],
    [`{"creds":"-----BEGIN-----\\n${SEED}\\n"}`, '{"creds":"(hidden)"}'],
    [`{"stack":"Error: ${SEED}\\n at x"}`, '{"stack":"Error: (hidden)\\n at x"}'],
  ])('hides what is secret in %s', (line, hidden) => {
    expect(redact(line)).toBe(hidden);
  });

  it.each([
    '{"level":"info","url":"http://127.0.0.1:4001/v1/tasks?q=a@b","inputTokens":12}',
    '{"tokens":"12","msg":"an agent@home in postgres://db:5432/baton"}',
  ])('leaves alone what is not: %s', (line) => {
    expect(redact(line)).toBe(line);
  });
});
