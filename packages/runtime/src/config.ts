import type { z } from 'zod';

/** The environment does not fit the schema; `message` tells every problem and is meant for people as it stands. */
export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(['The configuration cannot be used:', ...problems.map((problem) => `  ${problem}`)].join('\n'));
    this.name = 'ConfigError';
    // Whoever prints it whole should see the problems, not where in the code they were found.
    this.stack = `${this.name}: ${this.message}`;
  }
}

/**
 * Reads the variables that `schema` names from the environment; an empty one counts as not set. Throws a
 * `ConfigError` with all problems together. A field's description is shown as what was expected.
 */
export function readConfig<T extends z.ZodObject>(
  schema: T,
  environment: NodeJS.ProcessEnv = process.env,
): z.infer<T> {
  const given = Object.fromEntries(
    Object.keys(schema.shape)
      .map((name) => [name, environment[name]] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw new ConfigError(result.error.issues.map((issue) => describe(issue, schema, given)));
}

function describe(
  issue: z.core.$ZodIssue,
  schema: z.ZodObject,
  given: Readonly<Record<string, string | undefined>>,
): string {
  const name = String(issue.path[0] ?? '');
  if (name === '') return issue.message;
  const field = schema.shape[name] as z.ZodType | undefined;
  const expected = field?.description ?? expectation(issue.message);
  return `${name}: got ${shown(name, given[name])}, expected ${expected}`;
}

/** `Invalid input: expected number, received NaN` → `number`; other messages as they are. */
function expectation(message: string): string {
  const plain = /expected (.+?)(?:, received .*)?$/.exec(message)?.[1];
  return plain ?? message;
}

const secretName = /PASSWORD|SECRET|TOKEN|KEY|CREDENTIAL|SEED/;
const userInfo = /\/\/[^/?#]*@/;

function shown(name: string, value: string | undefined): string {
  if (value === undefined) return 'nothing';
  if (secretName.test(name)) return 'a value (hidden)';
  return JSON.stringify(value.replace(userInfo, '//(hidden)@').slice(0, 200));
}
