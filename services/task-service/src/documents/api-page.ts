import { PAGE_STYLE } from './page-style.js';
import { escape, prose, schemaTable, typeOf, type Schema } from './schema-table.js';

type Reference = { readonly $ref: string };
type Content = Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;
type Parameter = {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
};
type HttpOperation = {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly (Parameter | Reference)[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
};
type Tag = { readonly name: string; readonly description: string };
type Schemas = Readonly<Record<string, Schema>>;

/** What the page reads of `docs/openapi.json`. */
export type OpenApi = {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly Tag[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, HttpOperation>>>>;
  readonly components: {
    readonly schemas: Schemas;
    readonly parameters: Readonly<Record<string, Parameter>>;
  };
};

type NatsMessage = {
  readonly payload: Schema;
  readonly description?: string;
  readonly examples?: readonly { readonly payload: unknown }[];
};
type NatsOperation = {
  readonly action: 'send' | 'receive';
  readonly summary: string;
  readonly tags: readonly { readonly name: string }[];
  readonly reply?: object;
};

/** What the page reads of `docs/asyncapi.json`. */
export type AsyncApi = {
  readonly info: { readonly description: string; readonly tags: readonly Tag[] };
  readonly channels: Readonly<Record<string, { readonly address: string | null }>>;
  readonly operations: Readonly<Record<string, NatsOperation>>;
  readonly components: {
    readonly messages: Readonly<Record<string, NatsMessage>>;
    readonly schemas: Schemas;
  };
};

/** One entry of the page: a line that opens to all there is to say. */
type Entry = { readonly id: string; readonly tag: string; readonly line: string; readonly body: string };
type Part = {
  readonly title: string;
  readonly tells: string;
  readonly tags: readonly Tag[];
  readonly entries: readonly Entry[];
};

/** The page of both documents: HTML and its own style, no script, nothing from elsewhere. */
export function renderPage(http: OpenApi, nats: AsyncApi): string {
  const parts = [httpPart(http), natsPart(nats)];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(http.info.title)} API</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<div class="page">
<nav aria-label="Operations">${parts.map(navigation).join('')}</nav>
<main id="main" tabindex="-1">
<h1>${escape(http.info.title)} API <span class="quiet">${escape(http.info.version)}</span></h1>
<p>As documents for tools: <a href="/openapi.json">OpenAPI 3.1</a>, <a href="/asyncapi.json">AsyncAPI 3</a>.</p>
${parts.map(section).join('')}
</main>
</div>
</body>
</html>
`;
}

function httpPart({ info, tags, paths, components }: OpenApi): Part {
  const entries = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Entry => {
      const line = verbLine(method.toUpperCase(), path, operation.summary);
      const tag = operation.tags[0] ?? '';
      return { id: operation.operationId, tag, line, body: httpBody(operation, components) };
    }),
  );
  return {
    title: 'REST',
    tells: info.description,
    tags: [...tags, SHAPES],
    entries: [...entries, ...shapes(components.schemas, 'rest')],
  };
}

function httpBody(operation: HttpOperation, { parameters: shared }: OpenApi['components']): string {
  const parameters = operation.parameters.flatMap((one) =>
    '$ref' in one ? (shared[one.$ref.slice(one.$ref.lastIndexOf('/') + 1)] ?? []) : one,
  );
  const rows = parameters.map(
    ({ name, in: place, required, schema, description }) =>
      `<tr><td><code>${escape(name)}</code></td><td>${place}</td><td>${typeOf(schema, 'rest')}</td>` +
      `<td>${required ? 'required' : 'optional'}</td><td>${prose(description ?? schema.description ?? '')}</td></tr>`,
  );
  const head = '<tr><th>Name</th><th>In</th><th>Type</th><th>When</th><th>Meaning</th></tr>';
  const body = operation.requestBody?.content['application/json'];
  return [
    operation.description === undefined ? '' : `<p>${prose(operation.description)}</p>`,
    `<h4>Parameters</h4><div class="wide" tabindex="0"><table><thead>${head}</thead><tbody>${rows.join('')}</tbody></table></div>`,
    body === undefined ? '' : `<h4>Body${operation.requestBody?.required ? '' : ' (optional)'}</h4>`,
    body === undefined ? '' : schemaTable(body.schema, 'rest') + example(body.example),
    ...Object.entries(operation.responses).map(([status, { description, content = {} }]) => {
      const [[mediaType, answer] = []] = Object.entries(content);
      const isRefusal = Number(status) >= 400;
      const fields = answer === undefined || isRefusal ? '' : schemaTable(answer.schema, 'rest');
      const media = mediaType === undefined || isRefusal ? '' : ` <code>${escape(mediaType)}</code>`;
      return `<h4>${status}${media}</h4><p>${prose(description)}</p>${fields}`;
    }),
  ].join('');
}

function natsPart({ info, channels, operations, components }: AsyncApi): Part {
  const entries = Object.entries(operations).map(([id, operation]): Entry => {
    const message = components.messages[id];
    const answer = components.messages[`${id}Answer`];
    const verb = operation.action === 'send' ? 'SEND' : 'HEAR';
    return {
      id,
      tag: operation.tags[0]?.name ?? '',
      line: verbLine(verb, channels[id]?.address ?? '', operation.summary),
      body: [
        message === undefined ? '' : messageBody('Message', message),
        answer === undefined ? '<p>No answer.</p>' : messageBody('Answer', answer),
      ].join(''),
    };
  });
  return {
    title: 'NATS',
    tells: `${info.description} \`SEND\` is what Baton says, \`HEAR\` what it hears.`,
    tags: [...info.tags, SHAPES],
    entries: [...entries, ...shapes(components.schemas, 'nats')],
  };
}

function messageBody(title: string, { payload, description, examples = [] }: NatsMessage): string {
  const told = description === undefined ? '' : `<p>${prose(description)}</p>`;
  return `<h4>${title}</h4>${schemaTable(payload, 'nats')}${told}${examples.map((one) => example(one.payload)).join('')}`;
}

const SHAPES = { name: 'Shapes', description: 'What several of them share.' };

function shapes(schemas: Schemas, scope: string): readonly Entry[] {
  return Object.entries(schemas).map(([name, schema]) => ({
    id: `${scope}-${name}`,
    tag: SHAPES.name,
    line: `<strong>${escape(name)}</strong>`,
    body: schemaTable(schema, scope),
  }));
}

function section({ title, tells, tags, entries }: Part): string {
  const groups = tags.map(({ name, description }) => {
    const own = entries.filter(({ tag }) => tag === name);
    return `<h3>${escape(name)}</h3><p class="quiet">${prose(description)}</p>${own.map(entry).join('')}`;
  });
  return `<h2 id="${title}">${title}</h2><p>${prose(tells)}</p>${groups.join('')}`;
}

// The id is inside: a browser that goes to it opens what it is in.
function entry({ id, line, body }: Entry): string {
  return `<details><summary>${line}</summary><div id="${escape(id)}">${body}</div></details>`;
}

function navigation({ title, tags, entries }: Part): string {
  const groups = tags.map(({ name }) => {
    const own = entries.filter(({ tag }) => tag === name);
    const links = own.map(
      ({ id }) => `<li><a href="#${escape(id)}">${escape(id.replace(/^(rest|nats)-/, ''))}</a></li>`,
    );
    return `<strong>${escape(title)} · ${escape(name)}</strong><ul>${links.join('')}</ul>`;
  });
  return groups.join('');
}

function verbLine(verb: string, address: string, summary: string): string {
  return `<span class="verb">${verb}</span><code>${escape(address)}</code> <span class="quiet">${prose(summary)}</span>`;
}

function example(value: unknown): string {
  return value === undefined
    ? ''
    : `<h4>Example</h4><pre tabindex="0">${escape(JSON.stringify(value, null, 2))}</pre>`;
}
