import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The name and version of the package a script is in, `@baton/` left out; `node` where there is none. */
export function programOf(script: string | undefined): { readonly name: string; readonly version: string } {
  if (script === undefined) return { name: 'node', version: process.version };
  const directory = dirname(script);
  const { name, version = '' } = readManifest(join(directory, 'package.json'));
  if (name) return { name: name.replace(/^@baton\//, ''), version };
  return programOf(directory === script ? undefined : directory);
}

type Manifest = { readonly name?: string; readonly version?: string };

function readManifest(path: string): Manifest {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  } catch {
    return {};
  }
}
