type Json = { readonly [key: string]: Json } | readonly Json[] | string | number | boolean | null;

/** The parts of JSON Schema that zod writes for our messages. */
export type Schema = {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
};

export type Mutation = { readonly pointer: string; readonly change: string; readonly message: unknown };

/**
 * Copies of a valid message that each break it in one place: every required field left out, every field of a
 * known type given another one.
 */
export function mutations(schema: Schema, message: unknown): readonly Mutation[] {
  return mutate(schema, message as Json, '').map(({ pointer, change, json }) => ({
    pointer,
    change,
    message: json,
  }));
}

type Change = { readonly pointer: string; readonly change: string; readonly json: Json | undefined };

function mutate(schema: Schema, value: Json, pointer: string): readonly Change[] {
  const kind = chooseVariant(schema, value);
  const wrong = kind.type === undefined ? [] : [{ pointer, change: 'of another type', json: other(value) }];
  if (Array.isArray(value) && kind.items) {
    const items = kind.items;
    return [...wrong, ...value.flatMap((item: Json, index) => inArray(items, value, item, index, pointer))];
  }
  if (!isRecord(value) || !kind.properties) return wrong;
  const fields = Object.entries(kind.properties).filter(([name]) => name in value);
  return [...wrong, ...fields.flatMap(([name, field]) => inObject(kind, field, value, name, pointer))];
}

function inArray(schema: Schema, array: readonly Json[], item: Json, index: number, pointer: string) {
  return mutate(schema, item, `${pointer}/${index}`).map((change) => ({
    ...change,
    json: array.with(index, change.json ?? null),
  }));
}

function inObject(
  kind: Schema,
  field: Schema,
  value: Readonly<Record<string, Json>>,
  name: string,
  pointer: string,
): readonly Change[] {
  const { [name]: left = null, ...rest } = value;
  const without = { pointer: `${pointer}/${name}`, change: 'left out', json: rest };
  const within = mutate(field, left, `${pointer}/${name}`).map((change) => ({
    ...change,
    json: { ...value, [name]: change.json ?? null },
  }));
  return kind.required?.includes(name) ? [without, ...within] : within;
}

/** Of alternatives, the one the value was written for. */
function chooseVariant(schema: Schema, value: Json): Schema {
  const variants = schema.anyOf ?? schema.oneOf;
  if (!variants) return schema;
  if (value === null || !isRecord(value)) return variants.find(({ type }) => type !== 'null') ?? schema;
  const isMeant = ({ type, required }: Schema) =>
    type === 'object' && (required ?? []).every((name) => name in value);
  return variants.find(isMeant) ?? schema;
}

function isRecord(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function other(value: Json): Json {
  if (typeof value === 'boolean' || (typeof value === 'object' && value !== null)) return 'wrong';
  return { wrong: true };
}
