import type { z } from 'zod';
import { notesOf, type SettingNotes } from './setting.js';
import { readSecretFile } from './secret-file.js';
import { problemsOfUnknownNames } from './unknown-names.js';

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
 * Reads the variables that `schema` names from the environment; an empty one counts as not set, and a secret may
 * come from the file that `<NAME>_FILE` names. Throws a `ConfigError` with all problems together, unknown `BATON_*`
 * variables among them.
 */
export function readConfig<T extends z.ZodObject>(
  schema: T,
  environment: NodeJS.ProcessEnv = process.env,
): z.infer<T> {
  const names = Object.keys(schema.shape);
  const problems = new Map<string, string>();
  const given: Record<string, string> = {};
  for (const name of names) {
    const read = valueOf(name, notesOf(name, fieldOf(schema, name)), environment);
    if ('problem' in read) problems.set(name, read.problem);
    else if (read.value !== undefined) given[name] = read.value;
  }
  const result = schema.safeParse(given);
  for (const { path } of result.error?.issues ?? []) {
    const name = String(path[0]);
    const notes = notesOf(name, fieldOf(schema, name));
    if (!problems.has(name)) problems.set(name, problemOf(name, given[name], notes));
  }
  const all = [
    ...names.flatMap((name) => problems.get(name) ?? []),
    ...problemsOfUnknownNames(environment, names),
  ];
  if (all.length > 0 || !result.success) throw new ConfigError(all);
  return result.data;
}

function fieldOf(schema: z.ZodObject, name: string): z.core.$ZodType {
  return schema.shape[name] as z.core.$ZodType;
}

type Read = { readonly value: string | undefined } | { readonly problem: string };

function valueOf(name: string, { secret = false }: SettingNotes, environment: NodeJS.ProcessEnv): Read {
  const value = environment[name] || undefined;
  const file = environment[`${name}_FILE`] || undefined;
  if (!secret || file === undefined) return { value };
  if (value === undefined) return readSecretFile(`${name}_FILE`, file);
  return { problem: `${name}: got both ${name} and ${name}_FILE, expected one of them; unset the other` };
}

function problemOf(name: string, value: string | undefined, notes: SettingNotes): string {
  const got = value === undefined ? 'nothing' : shown(value, notes);
  return `${name}: got ${got}, expected ${notes.expected}, for example ${notes.example}`;
}

function shown(value: string, { secret = false }: SettingNotes): string {
  return JSON.stringify(secret ? redacted(value) : withoutUserInfo(value).slice(0, 200));
}

/** A password may stand in an address that has no place for one. */
function withoutUserInfo(value: string): string {
  return value.replace(/^(\w+:\/\/)?.*@/s, '$1(hidden)@');
}

/** Of an address all but its user and password; of any other secret nothing. */
function redacted(value: string): string {
  const [, scheme, userInfo, rest] = /^(\w+:\/\/)(.*@)?([\w.-]*(?::\d*)?(?:\/[\w-]*)?)/s.exec(value) ?? [];
  const isAddress = scheme !== undefined && (userInfo !== undefined || value === `${scheme}${rest}`);
  return isAddress ? `${scheme}${userInfo === undefined ? '' : '(hidden)@'}${rest}` : '(hidden)';
}
