import { describe, expect, it } from '@jest/globals';
import { problemsOfUnknownNames } from './unknown-names.js';

const names = ['BATON_LANES', 'BATON_LOG_LEVEL', 'BATON_HTTP_PORT', 'BATON_HTTP_HOST'];

describe('problemsOfUnknownNames', () => {
  it('tells the nearest known name, or where all are listed', () => {
    expect(problemsOfUnknownNames({ BATON_LNAES: '4', BATON_COLOUR: 'red' }, names)).toEqual([
      'BATON_LNAES: no part of Baton knows it; did you mean BATON_LANES?',
      'BATON_COLOUR: no part of Baton knows it; unset it (docs/configuration.md lists them all)',
    ]);
  });

  it.each([
    ['of other parts', { BATON_TASK_HTTP_PORT: '4001', BATON_METRICS_DATABASE_URL_FILE: '/x' }],
    ['of others', { BATTON: 'x', OTEL_SDK_DISABLED: 'true' }],
    ['of tests', { BATON_TEST_RUN: '{}' }],
    [
      'that Kubernetes sets for services named baton-…',
      {
        BATON_NATS_SERVICE_HOST: '10.0.0.1',
        BATON_NATS_SERVICE_PORT_CLIENT: '4222',
        BATON_API_PORT: 'tcp://10.0.0.1:80',
        BATON_API_PORT_80_TCP_ADDR: '10.0.0.1',
      },
    ],
  ])('leaves alone those %s', (_whose, environment) => {
    expect(problemsOfUnknownNames(environment, names)).toEqual([]);
  });
});
