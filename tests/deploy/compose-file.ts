import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutDirectory } from '@baton/stack';
import { ADMIN_KEY } from '@baton/testkit';
import { parse } from 'yaml';

/** A service of docker-compose.yml, as far as the tests look at it. */
export type ComposeService = {
  readonly profiles?: readonly string[];
  readonly image?: string;
  readonly build?: { readonly context: string; readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
  readonly [key: string]: unknown;
};

export type ComposeFile = {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
};

/** The variables that have no default, with values for tests. */
export const passwords = {
  POSTGRES_PASSWORD: 'superuser1',
  POSTGRES_OWNER_PASSWORD: 'owner1',
  POSTGRES_METRICS_PASSWORD: 'metrics1',
  BATON_ADMIN_KEY: ADMIN_KEY,
};

/** Reads docker-compose.yml with these variables put in; throws, as Compose does, when a required one is missing. */
export function readCompose(variables: Readonly<Record<string, string>> = passwords): ComposeFile {
  const text = readFileSync(join(checkoutDirectory, 'docker-compose.yml'), 'utf8');
  // Merged and only then interpolated, as Compose does: an empty variable stays an empty text.
  const content = JSON.stringify(parse(text, { merge: true }));
  const withVariables = (_: string, value: unknown): unknown =>
    typeof value === 'string' ? interpolate(value, variables) : value;
  return JSON.parse(content, withVariables) as ComposeFile;
}

/** A service of the file. */
export function serviceOf({ services }: ComposeFile, name: string): ComposeService {
  const service = services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}

/** Puts variables into `${NAME:-default}` and `${NAME:?what is missing}`, the two forms the file uses. */
function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /\$\{(\w+):([-?])([^}]*)\}|\$/g,
    (found, name?: string, form?: string, rest?: string) => {
      if (name === undefined)
        throw new Error(`docker-compose.yml has ${found} in a form the tests do not know`);
      const value = variables[name];
      if (value !== undefined && value !== '') return value;
      if (form === '?') throw new Error(`${name}: ${rest}`);
      return rest ?? '';
    },
  );
}
