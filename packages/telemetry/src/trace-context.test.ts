import { describe, expect, it } from '@jest/globals';
import { contextsIn, linksTo } from './trace-context.js';

const A = `00-${'a'.repeat(32)}-${'1'.repeat(16)}-01`;
const B = `00-${'b'.repeat(32)}-${'2'.repeat(16)}-01`;

describe('the contexts in a batch of events', () => {
  it('are found in its text, those of a text within it are not', () => {
    const feigned = JSON.stringify({ reason: `"traceparent":"${B}"` });
    expect(contextsIn(`[{"id":"1","traceparent":"${A}"},${feigned},{"id":"2"}]`)).toEqual([A]);
  });
});

describe('links', () => {
  it('are to each recorded trace once', () => {
    const links = linksTo([A, null, B, A, undefined, 'nonsense', A.replace(/01$/, '00')]);
    expect(links.map(({ context }) => context.traceId[0])).toEqual(['a', 'b']);
  });
});
