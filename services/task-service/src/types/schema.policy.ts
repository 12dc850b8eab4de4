import type { JsonObject, JsonValue, Problem } from '@baton/contracts';

/** Keywords whose value is data, not a schema. */
const DATA = new Set(['const', 'enum', 'default', 'examples', 'example']);
const REFERENCES = new Set(['$ref', '$dynamicRef', '$recursiveRef']);

type Place = { readonly value: JsonValue; readonly pointer: string };

/**
 * What a schema may not have, whatever else it says: references out of itself (nothing is ever fetched) and names of
 * its own in the world. Walks iteratively: depth is data of the sender.
 */
export function forbiddenIn(schema: JsonObject): readonly Problem[] {
  const problems: Problem[] = [];
  const pending: Place[] = [{ value: schema, pointer: '' }];
  for (let place = pending.pop(); place; place = pending.pop()) {
    const { value, pointer } = place;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries<JsonValue>(value)) {
      if (DATA.has(key)) continue;
      const at = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (REFERENCES.has(key) && typeof inner === 'string' && !inner.startsWith('#')) {
        const detail = `expected a reference within the schema, as in "#/$defs/part", got ${JSON.stringify(inner)}`;
        problems.push({ pointer: at, code: 'remote_ref', detail });
      }
      // Below the root it would change what "#" means.
      if (key === '$id' && pointer !== '' && typeof inner === 'string') {
        problems.push({ pointer: at, code: 'nested_id', detail: 'only the schema itself may have an $id' });
      }
      pending.push({ value: inner, pointer: at });
    }
  }
  return problems;
}

/** Every pattern of a schema with its place: values of `pattern`, keys of `patternProperties`. */
export function patternsIn(
  schema: JsonObject,
): readonly { readonly pattern: string; readonly pointer: string }[] {
  const found: { pattern: string; pointer: string }[] = [];
  const pending: Place[] = [{ value: schema, pointer: '' }];
  for (let place = pending.pop(); place; place = pending.pop()) {
    const { value, pointer } = place;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries<JsonValue>(value)) {
      if (DATA.has(key)) continue;
      const at = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (key === 'pattern' && typeof inner === 'string') found.push({ pattern: inner, pointer: at });
      if (key === 'patternProperties' && typeof inner === 'object' && inner !== null) {
        for (const pattern of Object.keys(inner)) found.push({ pattern, pointer: at });
      }
      pending.push({ value: inner, pointer: at });
    }
  }
  return found;
}

const PUMPED = 32;
const SYMBOLS = 12;

/**
 * Texts on which a pattern that backtracks without end does so: one or two of its own symbols over and over, then
 * one that fits nothing. At most `SYMBOLS`² of them.
 */
export function attacksOn(pattern: string): readonly string[] {
  const plain = pattern
    .replaceAll(/\\d/g, '0')
    .replaceAll(/\\w/g, 'a')
    .replaceAll(/\\s/g, ' ')
    .replaceAll(/\\p\{[^}]*\}/g, 'a')
    .replaceAll(/\[\^[^\]]*\]/g, 'x');
  const literals = Array.from(plain.replaceAll(/[\\^$.|?*+()[\]{}]/g, ''));
  const symbols = [...new Set([...literals, 'x'])].slice(0, SYMBOLS);
  return symbols.flatMap((first) =>
    symbols.map((second) => `${(first === second ? first : first + second).repeat(PUMPED)}\u0001`),
  );
}
