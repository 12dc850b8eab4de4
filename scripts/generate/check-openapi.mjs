import { Validator } from '@seriousme/openapi-schema-validator';
import { createExampleCheck } from './check-examples.mjs';

/** Throws when `docs/openapi.json` breaks the specification, or leaves out what its readers need. */
export async function checkOpenApi(text) {
  const document = JSON.parse(text);
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  const problems = valid ? lint(document) : [JSON.stringify(errors, null, 2)];
  if (problems.length > 0) throw new Error(`docs/openapi.json:\n${problems.join('\n')}`);
  validator.resolveRefs();
}

/** What the specification allows and we do not. */
function lint(document) {
  const text = JSON.stringify(document);
  const exampleProblem = createExampleCheck(document);
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ where: `${method} ${path}`, ...operation })),
  );
  const ids = operations.map(({ operationId }) => operationId);
  return [
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id}: two operations have this id`),
    ...Object.keys(document.components.schemas)
      .filter((name) => !text.includes(`"#/components/schemas/${name}"`))
      .map((name) => `${name}: a schema that nothing refers to`),
    ...operations.flatMap(({ where, summary, tags, responses, requestBody, parameters }) => {
      const { schema, example } = requestBody?.content['application/json'] ?? {};
      return [
        summary && tags?.length === 1 ? undefined : 'expected a summary and one tag',
        responses['500'] ? undefined : 'expected what it answers when it fails',
        requestBody && example === undefined ? 'expected an example of its body' : undefined,
        example === undefined ? undefined : exampleProblem(schema, example),
        parameters.some((one) => one.in === 'path' && !where.includes(`{${one.name}}`))
          ? 'a parameter that is not in its path'
          : undefined,
      ]
        .filter((problem) => problem !== undefined)
        .map((problem) => `${where}: ${problem}`);
    }),
  ];
}
