import { createContext, Script } from 'node:vm';
import { DomainError, type JsonObject, type JsonValue, type Problem } from '@baton/contracts';
import { Ajv, type ErrorObject, type Options } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { attacksOn, forbiddenIn, patternsIn } from './schema.policy.js';

/** What is wrong with a value, by JSON pointer within it; empty when it is as the schema says. */
export type Check = (value: JsonValue) => readonly Problem[];

/** A schema of 64 KiB compiles in a few milliseconds, and a check takes as many microseconds. */
const COMPILE_MS = 1_000;
const CHECK_MS = 100;
const PATTERN_MS = 50;
const PATTERNS = 100;
/** What is told of one value: an array of 100,000 wrong items is wrong enough in twenty of them. */
const PROBLEMS = 20;

const OPTIONS: Options = {
  strict: true,
  // Matters of style, which Ajv would write to the console.
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  allErrors: true,
  // Copied into one another, schemas that refer to each other grow without bound.
  inlineRefs: false,
  logger: false,
};

/**
 * Compiles a JSON Schema (draft 2020-12, or draft-07 when `$schema` says so). Throws `VALIDATION_FAILED` with what
 * cannot be used in it, by JSON pointer below `at`. The check it gives takes at most 0.1 s, whatever the schema and
 * the value: then it throws `UNAVAILABLE`, and for a second at once, so that a type can take but a tenth of a process.
 */
export function compileSchema(schema: JsonObject, at: string): Check {
  const forbidden = forbiddenIn(schema);
  if (forbidden.length > 0) throw unusable(at, forbidden);
  const validate = compile(schema, at);
  refuseEndless(schema, at);
  let suspendedUntil = 0;
  return (value) => {
    if (performance.now() < suspendedUntil) throw tooSlow();
    try {
      const isValid = within(CHECK_MS, () => validate(value));
      return isValid ? [] : (validate.errors ?? []).slice(0, PROBLEMS).map(toProblem);
    } catch (error) {
      suspendedUntil = performance.now() + 10 * CHECK_MS;
      throw tooSlow(error);
    }
  };
}

function compile(schema: JsonObject, at: string) {
  // One for each schema: it would keep all it ever compiled.
  const ajv = isDraft7(schema) ? new Ajv(OPTIONS) : new Ajv2020(OPTIONS);
  formats.default(ajv);
  try {
    return within(COMPILE_MS, () => ajv.compile(schema));
  } catch (error) {
    const detail = `not a JSON Schema of draft 2020-12 that can be used: ${(error as Error).message}`;
    throw unusable(at, [{ pointer: '', code: 'schema', detail: detail.slice(0, 1_000) }]);
  }
}

function isDraft7({ $schema }: JsonObject): boolean {
  return typeof $schema === 'string' && /^http:\/\/json-schema\.org\/draft-07\/schema#?$/.test($schema);
}

function refuseEndless(schema: JsonObject, at: string): void {
  const patterns = patternsIn(schema);
  if (patterns.length > PATTERNS) {
    const detail = `expected at most ${PATTERNS} patterns, got ${patterns.length}`;
    throw unusable(at, [{ pointer: '', code: 'patterns', detail }]);
  }
  const endless = patterns.find(({ pattern }) => isEndless(pattern));
  if (endless === undefined) return;
  const detail = 'this pattern takes exponential time on some texts; write it without nested repetitions';
  throw unusable(at, [{ pointer: endless.pointer, code: 'pattern', detail }]);
}

function isEndless(pattern: string): boolean {
  const expression = new RegExp(pattern, 'u');
  try {
    within(PATTERN_MS, () => attacksOn(pattern).forEach((attack) => expression.test(attack)));
    return false;
  } catch {
    return true;
  }
}

const context = createContext({ work: undefined as unknown });
const script = new Script('work()');

/** Runs `work` to its end or throws after so many milliseconds, also out of a loop or a pattern: some 80 µs more. */
function within<T>(milliseconds: number, work: () => T): T {
  context['work'] = work;
  try {
    return script.runInContext(context, { timeout: milliseconds }) as T;
  } finally {
    context['work'] = undefined;
  }
}

function toProblem({ instancePath, keyword, message, params }: ErrorObject): Problem {
  const { missingProperty, additionalProperty, unevaluatedProperty } = params as Readonly<
    Record<string, unknown>
  >;
  const property = missingProperty ?? additionalProperty ?? unevaluatedProperty;
  const below =
    typeof property === 'string' ? `/${property.replaceAll('~', '~0').replaceAll('/', '~1')}` : '';
  return { pointer: instancePath + below, code: keyword, detail: message ?? 'not as its schema says' };
}

function unusable(at: string, found: readonly Problem[]): DomainError {
  const errors = found.map((problem) => ({ ...problem, pointer: at + problem.pointer }));
  const [first] = errors;
  return new DomainError('VALIDATION_FAILED', `Type: ${first?.pointer} ${first?.detail}`, {
    details: { errors },
  });
}

function tooSlow(cause?: unknown): DomainError {
  const message = `Checking against the schema of this type took more than ${CHECK_MS} ms: simplify the schema, or try again in a second`;
  return new DomainError('UNAVAILABLE', message, { retryAfterMs: 1_000, cause });
}
