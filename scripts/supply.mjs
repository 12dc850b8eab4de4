// npm run supply: what is installed is what was looked at. Needs nothing but the checkout.
import { readFileSync } from 'node:fs';

const LICENCES = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC-BY-4.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
]);
const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies'];

const { packages } = readJson('package-lock.json');
const manifests = Object.keys(packages).filter((path) => !path.includes('node_modules/'));
const installed = Object.entries(packages).filter(
  ([path, { link }]) => path.includes('node_modules/') && !link,
);
const problems = [...manifests.flatMap(inexact), ...installed.flatMap(unsound)];

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else
  console.log(
    `${installed.length} packages of ${manifests.length} manifests: exact, whole, of licences that may be`,
  );

/** Ranges let in what nobody looked at; a lockfile that says something else is not of this manifest. */
function inexact(path) {
  const file = `${path === '' ? '.' : path}/package.json`;
  const manifest = readJson(file);
  return KINDS.flatMap((kind) => {
    const locked = packages[path][kind] ?? {};
    const own = manifest[kind] ?? {};
    const names = [...new Set([...Object.keys(own), ...Object.keys(locked)])];
    return names.flatMap((name) => [
      ...(/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(own[name] ?? '')
        ? []
        : [`${file}: ${name} ${own[name]} is no exact version`]),
      ...(own[name] === locked[name]
        ? []
        : [`${file}: ${name} is ${own[name]}, but ${locked[name]} in the lockfile`]),
    ]);
  });
}

/** npm writes down less of packages of other platforms than that of who made the lockfile. */
function unsound([path, { version, integrity, license, optional, hasInstallScript }]) {
  if (optional && integrity === undefined) return [];
  const words = (license ?? 'none').replace(/[()]/g, '').split(/ (?:AND|OR) /);
  const allowed = readJson('package.json').allowScripts;
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  return [
    ...(integrity?.startsWith('sha512-') ? [] : [`${path} ${version}: no SHA-512 in the lockfile`]),
    ...(words.every((word) => LICENCES.has(word))
      ? []
      : [`${path} ${version}: licence ${license ?? 'none'}`]),
    ...(!hasInstallScript || optional || name in allowed
      ? []
      : [`${path} ${version}: runs a script when it is installed`]),
  ];
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
