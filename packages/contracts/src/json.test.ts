import { describe, expect, it } from '@jest/globals';
import { jsonObject, jsonProblem, jsonValue, text } from './json.js';
import { LIMITS } from './limits.js';

const plenty = LIMITS.payloadBytes;

/** `levels` objects, one inside the other. */
function nested(levels: number): unknown {
  return JSON.parse('{"a":'.repeat(levels - 1) + '{}' + '}'.repeat(levels - 1));
}

describe('stored JSON', () => {
  it.each([
    ['NUL in a string', { a: 'x\0y' }],
    ['NUL in a key', { 'x\0y': 1 }],
    ['a high surrogate alone', { a: ['\ud83d'] }],
    ['a low surrogate alone', { a: { b: 'x\ude00' } }],
    ['surrogates in the wrong order', { a: '\ude00\ud83d' }],
    ['a lone surrogate in a key', { '\ud83d': 1 }],
    ['the key __proto__', JSON.parse('{"a":[{"__proto__":{"admin":true}}]}')],
    ['the key constructor', { a: { constructor: 1 } }],
    ['the key prototype', { prototype: {} }],
    ['NaN', { a: Number.NaN }],
    ['infinity', { a: [Number.POSITIVE_INFINITY] }],
    ['a function', { a: () => 1 }],
    ['a bigint', { a: 1n }],
    ['undefined in an array', { a: [undefined] }],
    ['a symbol', { a: Symbol('a') }],
  ])('refuses %s', (_name, value: unknown) => {
    expect(jsonProblem(value, plenty)).toEqual(expect.any(String));
    expect(jsonObject.safeParse(value).success).toBe(false);
    expect(jsonValue.safeParse(value).success).toBe(false);
  });

  it.each([
    ['a pair of surrogates', { smile: '😀' }],
    ['every other control character', { a: '\u0001\n\t\u001f\u007f' }],
    ['keys that only look dangerous', { proto: 1, __proto: 2, toString: 3 }],
    ['null, booleans, numbers', { a: [null, true, false, 0, -1.5e300] }],
    ['nothing at all', {}],
  ])('takes %s', (_name, value: unknown) => {
    expect(jsonObject.parse(value)).toEqual(value);
    expect(jsonValue.parse(value)).toEqual(value);
  });

  it(`takes ${LIMITS.jsonDepth} levels and refuses one more`, () => {
    expect(jsonProblem(nested(LIMITS.jsonDepth), plenty)).toBeUndefined();
    expect(jsonProblem(nested(LIMITS.jsonDepth + 1), plenty)).toMatch(/deeper than 32/);
  });

  it('refuses JSON nested so deep that recursion would end the process', () => {
    let deep: unknown = [];
    for (let level = 0; level < 200_000; level += 1) deep = [deep];
    expect(jsonProblem(deep, plenty)).toMatch(/deeper/);
  });

  it('counts bytes of UTF-8, not characters', () => {
    const fits = { a: 'é'.repeat(10) };
    const bytes = Buffer.byteLength(JSON.stringify(fits));
    expect(jsonProblem(fits, bytes)).toBeUndefined();
    expect(jsonProblem(fits, bytes - 1)).toMatch(new RegExp(`got ${bytes}`));
  });

  it('asks for an object where one is stored', () => {
    for (const value of [undefined, null, [], 'text', 1, true]) {
      expect(jsonObject.safeParse(value).success).toBe(false);
    }
  });

  it('takes any value as a result but none', () => {
    for (const value of [null, [], 'text', 0, false]) expect(jsonValue.parse(value)).toEqual(value);
    expect(jsonValue.safeParse(undefined).success).toBe(false);
  });
});

describe('stored text', () => {
  it.each(['x\0', '\ud83d', '\ude00'])('refuses %j', (value) => {
    expect(text({}).safeParse(value).success).toBe(false);
  });

  it('counts bytes where it says bytes', () => {
    expect(text({ maxBytes: 4 }).safeParse('éé').success).toBe(true);
    expect(text({ maxBytes: 4 }).safeParse('éée').success).toBe(false);
  });
});
