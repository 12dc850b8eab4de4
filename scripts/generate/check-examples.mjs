import { Ajv2020 } from 'ajv/dist/2020.js';

/** A function that says what is wrong with an example by its schema, or nothing. `$ref`s name schemas of the document. */
export function createExampleCheck({ components }) {
  // Formats are zod's affair.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  return (schema, example) => {
    const text = JSON.stringify({ $defs: components.schemas, ...schema });
    const isValid = ajv.compile(JSON.parse(text.replaceAll('"#/components/schemas/', '"#/$defs/')));
    return isValid(example) ? undefined : `its example: ${ajv.errorsText(isValid.errors, { dataVar: '' })}`;
  };
}
