/** The parts of JSON Schema that our documents use. */
export type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly format?: string;
  readonly description?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
};

type Row = {
  readonly path: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
};

/** Text as HTML shows it; what stands in backticks as code. */
export function prose(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

export function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

/** The fields of a schema as a table: `a.b` is a field of a field, `a[].b` one of each item. `scope` is its document. */
export function schemaTable(schema: Schema, scope: string): string {
  const rows = rowsOf(schema, '');
  if (rows.length === 0) return `<p>${typeOf(schema, scope)}</p>`;
  const cells = rows.map(
    ({ path, schema: field, isRequired }) =>
      `<tr><td><code>${escape(path)}</code></td><td>${typeOf(field, scope)}</td><td>${presence(field, isRequired)}</td>` +
      `<td>${prose(field.description ?? '')}</td></tr>`,
  );
  const isTold = rows.some(({ schema: field }) => field.description !== undefined);
  const head = `<tr><th>Field</th><th>Type</th><th>When</th><th>${isTold ? 'Meaning' : ''}</th></tr>`;
  return `<div class="wide" tabindex="0"><table><thead>${head}</thead><tbody>${cells.join('')}</tbody></table></div>`;
}

/** What a value may be, in a few words; a named shape as a link. */
export function typeOf(schema: Schema, scope: string): string {
  const { $ref, type, items, enum: values, format, additionalProperties } = schema;
  if ($ref !== undefined) return shapeLink($ref, scope);
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants !== undefined) return [...new Set(variants.map((one) => typeOf(one, scope)))].join(' or ');
  if ('const' in schema) return `<code>${escape(JSON.stringify(schema.const))}</code>`;
  if (values !== undefined)
    return values.map((value) => `<code>${escape(String(value))}</code>`).join(' or ');
  if (typeof type === 'object')
    return type.map((one) => typeOf({ ...schema, type: one }, scope)).join(' or ');
  if (type === 'array')
    return `list of ${typeOf(items ?? {}, scope)}${range(schema.minItems, schema.maxItems)}`;
  if (type === 'object' && typeof additionalProperties === 'object' && schema.properties === undefined) {
    return `object of ${typeOf(additionalProperties, scope)}`;
  }
  if (type === 'string')
    return `${format ?? 'text'}${range(schema.minLength || undefined, schema.maxLength)}`;
  return `${type ?? 'any JSON'}${range(schema.minimum ?? schema.exclusiveMinimum, schema.maximum)}`;
}

function rowsOf(schema: Schema, prefix: string): readonly Row[] {
  if (schema.items !== undefined) return rowsOf(schema.items, `${prefix}[]`);
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants !== undefined) return onceEach(variants.map((variant) => rowsOf(variant, prefix)));
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return [
      { path, schema: field, isRequired: schema.required?.includes(name) ?? false },
      ...rowsOf(field, path),
    ];
  });
}

/** A field of several variants is shown once, as that of the first which has it; required if it is in all. */
function onceEach(variants: readonly (readonly Row[])[]): readonly Row[] {
  const withFields = variants.filter((rows) => rows.length > 0);
  const byPath = new Map<string, Row>();
  for (const row of withFields.flat()) if (!byPath.has(row.path)) byPath.set(row.path, row);
  return [...byPath.values()].map((row) => ({
    ...row,
    isRequired: withFields.every((rows) =>
      rows.some(({ path, isRequired }) => path === row.path && isRequired),
    ),
  }));
}

function shapeLink(reference: string, scope: string): string {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  return `<a href="#${scope}-${escape(name)}">${escape(name)}</a>`;
}

function presence(schema: Schema, isRequired: boolean): string {
  if (isRequired) return 'required';
  if (schema.default === undefined) return 'optional';
  return `default <code>${escape(JSON.stringify(schema.default))}</code>`;
}

function range(from: number | undefined, to: number | undefined): string {
  if (from === undefined) return to === undefined ? '' : `, at most ${to}`;
  return to === undefined ? `, at least ${from}` : `, ${from} to ${to}`;
}
