import * as contracts from '../../packages/contracts/dist/index.js';

const { decision, decisionAsSent, jsonObject, jsonValue, timestamp } = contracts;

// What zod checks by code of ours, or writes at a length nobody reads.
const said = new Map([
  [jsonObject, { type: 'object', description: 'Any JSON object of at most 256 KiB and 32 levels.' }],
  [jsonValue, { description: 'Any JSON of at most 256 KiB and 32 levels.' }],
  [decisionAsSent, decision.toJSONSchema({ io: 'input' })],
  [timestamp, { type: 'string', format: 'date-time' }],
]);

/**
 * Writes schemas of contracts as JSON Schema, for one document: `shapes` are written once, in `components()`, and named
 * elsewhere. `direction` says whose side is told: `sent` by a caller (what may be left out is optional), or `answered`
 * (fields of later versions may be among them).
 */
export function createJsonSchemas({ shapes, direction }) {
  const names = new Map(Object.entries(shapes).map(([name, schema]) => [schema, name]));
  const registry = {
    get: (schema) => {
      const id = names.get(schema);
      return { ...schema.meta?.(), ...(id === undefined ? {} : { id }) };
    },
  };
  const found = new Map();

  function toJsonSchema(schema) {
    const {
      $schema: _,
      $defs = {},
      ...json
    } = schema.toJSONSchema({
      io: direction === 'sent' ? 'input' : 'output',
      unrepresentable: 'any',
      metadata: registry,
      override,
    });
    for (const [name, definition] of Object.entries($defs)) found.set(name, placed(withoutId(definition)));
    return placed(json);
  }

  function override({ zodSchema, jsonSchema }) {
    const instead = said.get(zodSchema);
    if (instead !== undefined) {
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      const { $schema: _, ...rest } = instead;
      Object.assign(jsonSchema, rest);
    }
    if (direction === 'answered' && jsonSchema.additionalProperties === false)
      delete jsonSchema.additionalProperties;
    for (const bound of ['minimum', 'maximum']) {
      if (Math.abs(jsonSchema[bound]) === Number.MAX_SAFE_INTEGER) delete jsonSchema[bound];
    }
  }

  return { toJsonSchema, components: () => Object.fromEntries([...found].toSorted(byName)) };
}

function withoutId({ id: _, $schema: __, ...json }) {
  return json;
}

/** zod keeps what is shared under the schema itself, documents keep it in one place. */
function placed(json) {
  return JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/'));
}

function byName([one], [other]) {
  return one < other ? -1 : 1;
}
