import specs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import { createExampleCheck } from './check-examples.mjs';

/** Throws when `docs/asyncapi.json` breaks the specification, or leaves out what its readers need. */
export async function checkAsyncApi(text) {
  const document = JSON.parse(text);
  const problems = specificationProblems(document);
  if (problems.length === 0) problems.push(...lint(document));
  if (problems.length > 0) throw new Error(`docs/asyncapi.json:\n${problems.join('\n')}`);
}

function specificationProblems(document) {
  const schema = structuredClone(specs.schemas[document.asyncapi]);
  // Ajv has this one itself, and refuses a second.
  delete schema.definitions['http://json-schema.org/draft-07/schema'];
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const isValid = ajv.compile(schema);
  return isValid(document) ? [] : [ajv.errorsText(isValid.errors, { separator: '\n' })];
}

/** What the specification's schema cannot see: references, and what each operation must tell. */
function lint(document) {
  const { channels, operations, components } = document;
  const text = JSON.stringify(document);
  const references = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference));
  const exampleProblem = createExampleCheck(document);
  const used = new Set(
    Object.values(operations).flatMap(({ channel, reply }) => [channel.$ref, reply?.channel.$ref]),
  );
  return [
    ...[...references]
      .filter((reference) => resolve(document, reference) === undefined)
      .map((reference) => `${reference} leads nowhere`),
    ...Object.keys(components.schemas)
      .filter((name) => !references.has(`#/components/schemas/${name}`))
      .map((name) => `${name}: a schema that nothing refers to`),
    ...Object.keys(channels)
      .filter((id) => !used.has(`#/channels/${id}`))
      .map((id) => `${id}: a channel without an operation`),
    ...Object.entries(operations).flatMap(([id, { summary, tags, reply }]) => {
      const { payload, examples = [] } = components.messages[id];
      const answer = components.messages[`${id}Answer`];
      return [
        summary && tags?.length === 1 ? undefined : 'expected a summary and one tag',
        examples.length > 0 ? undefined : 'expected an example',
        reply && !answer ? 'expected what it answers' : undefined,
        ...examples.map((example) => exampleProblem(payload, example.payload)),
        ...(answer?.examples ?? []).map((example) => exampleProblem(answer.payload, example.payload)),
      ]
        .filter((problem) => problem !== undefined)
        .map((problem) => `${id}: ${problem}`);
    }),
  ];
}

function resolve(document, reference) {
  return reference
    .slice(2)
    .split('/')
    .reduce((found, part) => found?.[part], document);
}
