import type { Licences } from '../results.js';
import { clip, descending } from '../text.js';

/** One installed npm package as a lockfile tells it. */
export type LockedPackage = {
  readonly name: string;
  readonly version: string;
  /** Where it is installed, below the directory of the lockfile. */
  readonly location: string;
  readonly licence: string | null;
};

/** What one package.json declares. */
export type Manifest = { readonly direct: number; readonly licence: string | null };

const ecosystems: readonly { readonly ecosystem: string; readonly name: RegExp }[] = [
  { ecosystem: 'npm', name: /^package\.json$/ },
  { ecosystem: 'npm lockfile', name: /^(?:package-lock\.json|npm-shrinkwrap\.json)$/ },
  { ecosystem: 'yarn or pnpm or bun lockfile', name: /^(?:yarn\.lock|pnpm-lock\.yaml|bun\.lockb?)$/ },
  { ecosystem: 'Python', name: /^(?:pyproject\.toml|setup\.(?:py|cfg)|Pipfile|requirements[\w.-]*\.txt)$/ },
  { ecosystem: 'Rust', name: /^Cargo\.toml$/ },
  { ecosystem: 'Go', name: /^go\.mod$/ },
  { ecosystem: 'Java or Kotlin', name: /^(?:pom\.xml|build\.gradle(?:\.kts)?)$/ },
  { ecosystem: '.NET', name: /\.(?:csproj|fsproj)$/ },
  { ecosystem: 'Ruby', name: /^Gemfile$|\.gemspec$/ },
  { ecosystem: 'PHP', name: /^composer\.json$/ },
  { ecosystem: 'Elixir', name: /^mix\.exs$/ },
  { ecosystem: 'Dart', name: /^pubspec\.yaml$/ },
  { ecosystem: 'Swift', name: /^Package\.swift$/ },
];

const licenceTexts: readonly { readonly licence: string; readonly pattern: RegExp }[] = [
  { licence: 'Apache-2.0', pattern: /Apache License\s+Version 2\.0/i },
  { licence: 'AGPL-3.0', pattern: /GNU AFFERO GENERAL PUBLIC LICENSE\s+Version 3/i },
  { licence: 'LGPL', pattern: /GNU LESSER GENERAL PUBLIC LICENSE/i },
  { licence: 'GPL-3.0', pattern: /GNU GENERAL PUBLIC LICENSE\s+Version 3/i },
  { licence: 'GPL-2.0', pattern: /GNU GENERAL PUBLIC LICENSE\s+Version 2/i },
  { licence: 'MPL-2.0', pattern: /Mozilla Public License,? Version 2\.0/i },
  { licence: 'MIT', pattern: /Permission is hereby granted, free of charge/i },
  { licence: 'ISC', pattern: /Permission to use, copy, modify, and(?:\/or)? distribute this software/i },
  { licence: 'BSD', pattern: /Redistribution and use in source and binary forms/i },
  { licence: 'Unlicense', pattern: /This is free and unencumbered software/i },
];

/** The ecosystem whose manifest a file is, by its name. */
export function ecosystemOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return ecosystems.find((entry) => entry.name.test(name))?.ecosystem;
}

/** Whether a file is a licence of the repository or of a directory in it. */
export function isLicenceFile(path: string): boolean {
  return /^(?:[^/]+\/){0,2}(?:LICEN[CS]E|COPYING|UNLICENSE)(?:[-.][\w.-]+)?$/i.test(path);
}

/** Which licence a text is; `unrecognised` when it is none of the common ones. */
export function recogniseLicence(text: string): string {
  return licenceTexts.find(({ pattern }) => pattern.test(text))?.licence ?? 'unrecognised';
}

/** Reads a package.json; undefined when it is not a JSON object. */
export function readManifest(text: string): Manifest | undefined {
  const content = parseObject(text);
  if (content === undefined) return undefined;
  const groups = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];
  const names = new Set(groups.flatMap((group) => Object.keys(objectOf(content[group]))));
  return { direct: names.size, licence: licenceOf(content) };
}

/** Reads the packages of a package-lock.json of any version; undefined when it is not a JSON object. */
export function readLockfile(text: string): readonly LockedPackage[] | undefined {
  const content = parseObject(text);
  if (content === undefined) return undefined;
  const { packages } = content;
  if (packages === undefined) return lockedOfVersion1(objectOf(content['dependencies']), '');
  return Object.entries(objectOf(packages)).flatMap(([location, value]) => {
    const entry = objectOf(value);
    const at = location.lastIndexOf('node_modules/');
    // The rest are the project itself, its workspaces and the links to them.
    if (at === -1 || entry['link'] === true) return [];
    const name = location.slice(at + 'node_modules/'.length);
    return [{ name, location, version: textOf(entry['version']) ?? '', licence: licenceOf(entry) }];
  });
}

/** Version 1 nests what is installed below a package, and tells no licences. */
function lockedOfVersion1(dependencies: JsonRecord, below: string): LockedPackage[] {
  return Object.entries(dependencies).flatMap(([name, value]) => {
    const entry = objectOf(value);
    const location = `${below}node_modules/${name}`;
    const own = { name, location, version: textOf(entry['version']) ?? '', licence: licenceOf(entry) };
    return [own, ...lockedOfVersion1(objectOf(entry['dependencies']), `${location}/`)];
  });
}

/** The figures over all locked packages, each name and version counted once. */
export function countLicences(
  locked: readonly LockedPackage[],
): Pick<Licences['npm'], 'locked' | 'licences' | 'unknown' | 'reciprocal'> {
  const distinct = [...new Map(locked.map((entry) => [`${entry.name}@${entry.version}`, entry])).entries()];
  const counts = new Map<string, number>();
  for (const [, { licence }] of distinct) {
    if (licence !== null) counts.set(licence, (counts.get(licence) ?? 0) + 1);
  }
  return {
    locked: distinct.length,
    licences: [...counts]
      .map(([licence, packages]) => ({ licence: clip(licence, 60), packages }))
      .toSorted(
        descending(
          (entry) => entry.packages,
          (entry) => entry.licence,
        ),
      )
      .slice(0, 15),
    unknown: distinct.filter(([, entry]) => entry.licence === null).length,
    reciprocal: distinct
      .filter(
        ([, entry]) =>
          entry.licence !== null && /\b(?:A|L)?GPL|\bMPL|\bEPL|\bEUPL|\bSSPL/i.test(entry.licence),
      )
      .map(([name, entry]) => clip(`${name} (${entry.licence})`, 120))
      .slice(0, 20),
  };
}

/** The licence in a package.json, also in the forms of long ago. */
export function licenceOf(content: JsonRecord): string | null {
  const { license, licenses } = content;
  if (Array.isArray(licenses)) {
    const names = licenses.map((entry) => textOf(entry) ?? textOf(objectOf(entry)['type'])).filter(Boolean);
    if (names.length > 0) return names.join(' OR ');
  }
  return textOf(license) ?? textOf(objectOf(license)['type']) ?? null;
}

type JsonRecord = Readonly<Record<string, unknown>>;

/** The object a JSON text holds; undefined when it is broken or holds something else. */
export function parseObject(text: string): JsonRecord | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonRecord)
      : undefined;
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
