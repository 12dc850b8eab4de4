import { describe, expect, it } from '@jest/globals';
import { DomainError, type JsonObject, type JsonValue, type Problem } from '@baton/contracts';
import { compileSchema } from './json-schema.js';

function problemsOf(schema: JsonObject): readonly Problem[] {
  try {
    compileSchema(schema, '/inputSchema');
    return [];
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'VALIDATION_FAILED') throw error;
    return (error.details ?? {})['errors'] as readonly Problem[];
  }
}

const nested = (depth: number): JsonValue => (depth === 0 ? 1 : [nested(depth - 1)]);

describe('a JSON Schema of a task type', () => {
  it('names what is wrong with a value by JSON pointer, several things at once', () => {
    const check = compileSchema(
      {
        type: 'object',
        properties: { file: { type: 'string', format: 'uri' }, lines: { type: 'integer', minimum: 1 } },
        required: ['file', 'a/b'],
        additionalProperties: false,
      },
      '',
    );
    expect(
      check({ file: 'https://example.com/a', lines: 3, 'a/b': 1 }).map(({ pointer }) => pointer),
    ).toEqual(['/a~1b']);
    const found = check({ file: 'no uri', lines: 0, extra: true });
    expect(new Set(found.map(({ pointer, code }) => `${pointer} ${code}`))).toEqual(
      new Set(['/file format', '/lines minimum', '/a~1b required', '/extra additionalProperties']),
    );
  });

  it('may refer to its own parts, be recursive, and be of draft-07', () => {
    const tree = {
      $defs: { node: { type: 'array', items: { $ref: '#/$defs/node' } } },
      $ref: '#/$defs/node',
    };
    expect(problemsOf(tree)).toEqual([]);
    expect(compileSchema(tree, '')([[[]]])).toEqual([]);
    expect(compileSchema(tree, '')([[[1]]])).toMatchObject([{ pointer: '/0/0/0', code: 'type' }]);
    expect(problemsOf({ $schema: 'http://json-schema.org/draft-07/schema#', definitions: {} })).toEqual([]);
    expect(problemsOf({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' })).toEqual(
      [],
    );
  });

  it.each([
    [{ $ref: 'https://example.com/schema.json' }, '/inputSchema/$ref'],
    [{ properties: { a: { $ref: 'other.json#/b' } } }, '/inputSchema/properties/a/$ref'],
    [{ properties: { a: { $id: 'https://example.com/b' } } }, '/inputSchema/properties/a/$id'],
    [{ $schema: 'https://json-schema.org/draft/2019-09/schema' }, '/inputSchema'],
    [{ type: 'objekt' }, '/inputSchema'],
    [{ maximun: 3 }, '/inputSchema'],
    [{ type: 'string', pattern: '(' }, '/inputSchema'],
    [{ $defs: { a: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }, '/inputSchema'],
    [{ $ref: '#/$defs/missing' }, '/inputSchema'],
  ])('is refused when it cannot be used: %j', (schema, pointer) => {
    expect(problemsOf(schema as JsonObject).map((problem) => problem.pointer)).toEqual([pointer]);
  });

  it('may hold as data what it may not say as a schema', () => {
    expect(problemsOf({ const: { $ref: 'https://example.com' }, enum: [{ pattern: '(a+)+$' }] })).toEqual([]);
    expect(problemsOf({ properties: { $ref: { type: 'string' }, pattern: { type: 'string' } } })).toEqual([]);
  });

  it.each(['^(a+)+$', '^(a|a)*$', '(x+x+)+y', '^([a-z]+)*$', '^(\\d+)+$', '^(ab?)*b?c*(ba|ab)*$|((ab)*)*c'])(
    'is refused with a pattern that takes exponential time: %s',
    (pattern) => {
      expect(problemsOf({ properties: { a: { pattern } } })).toMatchObject([
        { pointer: '/inputSchema/properties/a/pattern', code: 'pattern' },
      ]);
      expect(problemsOf({ patternProperties: { [pattern]: true } })).toMatchObject([{ code: 'pattern' }]);
    },
  );

  it.each([
    '^[a-z0-9]+(?:-[a-z0-9]+)*$',
    '^\\d+\\.\\d+\\.\\d+(-[a-z0-9]+)?$',
    '^(?:[a-z]+\\.)*[a-z]+$',
    '^\\p{L}+$',
  ])('may have a pattern that repeats what is set apart: %s', (pattern) =>
    expect(problemsOf({ type: 'string', pattern })).toEqual([]),
  );

  it('never holds up the process, whatever it makes of a value', () => {
    const doubling = { items: { $ref: '#' }, type: 'array' };
    const schemas: readonly [JsonObject, JsonValue][] = [
      [{ anyOf: [doubling, doubling] }, nested(31)],
      [{ type: 'string', pattern: '^a*a*a*a*a*$' }, `${'a'.repeat(5_000)}!`],
    ];
    for (const [schema, value] of schemas) {
      const check = compileSchema(schema, '');
      const startedAt = performance.now();
      expect(() => check(value)).toThrow(/more than 100 ms/);
      for (let again = 0; again < 100; again++) expect(() => check(value)).toThrow(/more than 100 ms/);
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    }
  });
});
