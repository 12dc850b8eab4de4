import { LIMITS } from '@baton/contracts';
import { z } from 'zod';

type Json = { readonly [key: string]: Json } | readonly Json[] | string | number | boolean | null;

/** The parts of JSON Schema that zod writes for what Baton is sent. */
type Schema = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
};

/** A request that must be refused: what is wrong at which place, and its text. */
export type BadInput = { readonly pointer: string; readonly what: string; readonly text: string };

/** Stands for a number JSON can write and no program can read. */
const HUGE = '@@1e400@@';

type Bad = { readonly what: string; readonly value: Json };

/** Every way to spoil a valid message in one place, worked out from its schema: fields of tomorrow are among them. */
export function badInputs(schema: z.ZodType, message: unknown): readonly BadInput[] {
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema;
  return spoil(shape, message as Json, '').map(({ pointer, what, value }) => ({
    pointer,
    what,
    text: JSON.stringify(value).replaceAll(`"${HUGE}"`, '1e400'),
  }));
}

type Spoilt = Bad & { readonly pointer: string };

function spoil(schema: Schema, value: Json | undefined, pointer: string): readonly Spoilt[] {
  const kind = chosen(schema, value);
  const here = [...badValues(kind, value)].map((bad) => ({ ...bad, pointer }));
  if (kind.type === 'array' && kind.items !== undefined) {
    const list = Array.isArray(value) ? (value as readonly Json[]) : [];
    const [first] = list;
    if (first === undefined) return here;
    const inside = spoil(kind.items, first, `${pointer}/0`);
    return [...here, ...inside.map((bad) => ({ ...bad, value: [bad.value, ...list.slice(1)] }))];
  }
  if (kind.type !== 'object') return here;
  const fields = isRecord(value) ? value : {};
  // A part that is left out cannot be spoilt inside: what else it needs is not known.
  if (value === undefined) return here;
  const inside = Object.entries(kind.properties ?? {}).flatMap(([name, field]) =>
    spoil(field, fields[name], `${pointer}/${name}`).map((bad) => ({
      ...bad,
      value: { ...fields, [name]: bad.value },
    })),
  );
  return [...here, ...inside, ...anyFields(kind, fields, pointer), ...unknownFields(kind, fields, pointer)];
}

/** Of an object whose fields are named by its sender: names and values. */
function anyFields(kind: Schema, fields: Readonly<Record<string, Json>>, pointer: string): readonly Spoilt[] {
  const { additionalProperties: values, propertyNames: names } = kind;
  if (typeof values !== 'object') return [];
  const named = [...badTexts(names ?? { type: 'string' })].flatMap(({ what, value }) =>
    typeof value === 'string'
      ? [{ what: `a name: ${what}`, pointer, value: { ...fields, [value]: 'x' } }]
      : [],
  );
  const valued = spoil(values, 'x', `${pointer}/name`).map((bad) => ({
    ...bad,
    value: { ...fields, name: bad.value },
  }));
  return [...named, ...valued];
}

function unknownFields(
  kind: Schema,
  fields: Readonly<Record<string, Json>>,
  pointer: string,
): readonly Spoilt[] {
  if (kind.additionalProperties !== false) return [];
  return ['nobodyKnowsThis', '__proto__', 'constructor', 'status']
    .filter((name) => !Object.hasOwn(kind.properties ?? {}, name))
    .map((name) => ({
      what: `the unknown field ${name}`,
      pointer: `${pointer}/${name}`,
      // An own property, also of that name.
      value: Object.fromEntries([...Object.entries(fields), [name, 'completed']]),
    }));
}

function* badValues(schema: Schema, value: Json | undefined): Iterable<Bad> {
  if (schema.enum !== undefined || schema.const !== undefined) {
    yield { what: 'none of what is expected', value: 'no-such-word' };
    yield { what: 'a list', value: [] };
    return;
  }
  switch (schema.type) {
    case 'string':
      return yield* badTexts(schema);
    case 'number':
    case 'integer':
      return yield* badNumbers(schema);
    case 'boolean':
      yield { what: 'a text instead of a truth', value: 'true' };
      return yield { what: 'a number instead of a truth', value: 1 };
    case 'array': {
      yield { what: 'a text instead of a list', value: 'x' };
      yield { what: 'an object instead of a list', value: { '0': 'x' } };
      const [first] = Array.isArray(value) ? (value as readonly Json[]) : [];
      const { minItems = 0, maxItems } = schema;
      if (minItems > 0) yield { what: 'an empty list', value: [] };
      if (maxItems !== undefined && maxItems <= 1_000 && first !== undefined)
        yield { what: `${maxItems + 1} items`, value: Array.from({ length: maxItems + 1 }, () => first) };
      return;
    }
    case 'object':
      yield { what: 'a text instead of an object', value: 'x' };
      return yield { what: 'a list instead of an object', value: [] };
    case undefined:
      if (schema.anyOf === undefined) yield* badJson();
      return;
    default:
      return;
  }
}

function* badTexts({ minLength = 0, maxLength, pattern, format }: Schema): Iterable<Bad> {
  yield { what: 'a number instead of a text', value: 7 };
  yield { what: 'an object instead of a text', value: {} };
  yield { what: 'a NUL', value: 'a\0b' };
  yield { what: 'a lone surrogate', value: 'a\ud800b' };
  if (minLength > 0) yield { what: 'too short a text', value: 'x'.repeat(minLength - 1) };
  if (maxLength !== undefined)
    yield { what: `${maxLength + 1} characters`, value: 'x'.repeat(maxLength + 1) };
  if (pattern !== undefined || format !== undefined)
    yield { what: 'a text of another form', value: '? '.repeat(150) };
}

function* badNumbers({ type, minimum, exclusiveMinimum, maximum }: Schema): Iterable<Bad> {
  yield { what: 'a text instead of a number', value: '1' };
  yield { what: 'no number any program can hold', value: HUGE };
  yield { what: 'null for not a number', value: 'NaN' };
  if (type === 'integer') yield { what: 'a fraction', value: 1.5 };
  if (minimum !== undefined && Math.abs(minimum) < Number.MAX_SAFE_INTEGER)
    yield { what: 'one less than the least', value: minimum - 1 };
  if (exclusiveMinimum !== undefined) yield { what: 'the bound that is left out', value: exclusiveMinimum };
  if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER)
    yield { what: 'one more than the most', value: maximum + 1 };
}

/** What no JSON that is stored may be. */
function* badJson(): Iterable<Bad> {
  const deep = (levels: number): Json => (levels === 0 ? 1 : { a: deep(levels - 1) });
  yield { what: 'nested one too deep', value: deep(LIMITS.jsonDepth + 1) };
  yield { what: 'a NUL inside', value: { a: ['\0'] } };
  yield { what: 'a NUL in a key', value: { 'a\0': 1 } };
  yield { what: 'a lone surrogate inside', value: { a: { b: '\udc00' } } };
  yield { what: 'a number out of range inside', value: { a: HUGE } };
  yield { what: 'one byte too large', value: { a: 'x'.repeat(LIMITS.payloadBytes - '{"a":""}'.length + 1) } };
  for (const key of ['__proto__', 'constructor', 'prototype'])
    yield { what: `the key ${key} inside`, value: { a: Object.fromEntries([[key, {}]]) } };
}

/** Of alternatives, the one the value was written for; what may also be null is what it is else. */
function chosen(schema: Schema, value: Json | undefined): Schema {
  const variants = schema.anyOf?.filter(({ type }) => type !== 'null') ?? [];
  if (variants.length === 1) return chosen(variants[0] ?? {}, value);
  if (schema.anyOf === undefined) return schema;
  if (!isRecord(value)) return { anyOf: [] };
  const isMeant = ({ properties = {} }: Schema) => Object.keys(value).every((name) => name in properties);
  return variants.find(isMeant) ?? { anyOf: [] };
}

function isRecord(value: Json | undefined): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
