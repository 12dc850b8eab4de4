import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { parse } from '@baton/contracts';
import * as analysis from '../analyses/licences.js';
import { readTexts, type ReadRequest } from '../git/contents.js';
import type { TreeFile } from '../git/tree.js';
import { AUDIT_LIMITS } from '../limits.js';
import { snapshotInput } from '../plan/inputs.js';
import type { Licences } from '../results.js';
import { clip, descending } from '../text.js';
import { knownTree } from './known-tree.js';
import type { Step } from './step.js';

type Installed = analysis.LockedPackage & {
  /** The directory of the lockfile. */
  readonly below: string;
};

const lookedUp = 5_000;

/** `deps.licences`: the licences of the repository and of the npm packages it locks; other manifests are counted. */
export const licencesStep: Step = async (input, { signal }) => {
  const request = { ...parse(snapshotInput, input, 'input of deps.licences'), signal };
  const { files } = await knownTree(request);
  return {
    own: await ownLicences({ ...request, files: files.filter((file) => analysis.isLicenceFile(file.path)) }),
    manifests: countManifests(files),
    npm: await npmLicences({ ...request, files }),
  } satisfies Licences;
};

async function ownLicences(request: ReadRequest): Promise<Licences['own']> {
  const own: Licences['own'] = [];
  await readTexts(request, (file, text) => {
    own.push({ path: clip(file.path), licence: analysis.recogniseLicence(text) });
  });
  return own.slice(0, 20);
}

function countManifests(files: readonly TreeFile[]): Licences['manifests'] {
  const counts = new Map<string, number>();
  for (const ecosystem of files.map((file) => analysis.ecosystemOf(file.path))) {
    if (ecosystem !== undefined) counts.set(ecosystem, (counts.get(ecosystem) ?? 0) + 1);
  }
  return [...counts]
    .map(([ecosystem, count]) => ({ ecosystem, files: count }))
    .toSorted(
      descending(
        (entry) => entry.files,
        (entry) => entry.ecosystem,
      ),
    );
}

async function npmLicences(request: ReadRequest): Promise<Licences['npm']> {
  const unreadable: string[] = [];
  const named = (...names: string[]) =>
    request.files.filter((file) => names.includes(posix.basename(file.path)));
  const manifestFiles = named('package.json');
  const lockfiles = named('package-lock.json', 'npm-shrinkwrap.json');

  let direct = 0;
  await readTexts({ ...request, files: manifestFiles }, (file, text) => {
    const manifest = analysis.readManifest(text);
    if (manifest === undefined) unreadable.push(clip(file.path));
    direct += manifest?.direct ?? 0;
  });
  const locked: Installed[] = [];
  const fileBytes = AUDIT_LIMITS.lockfileBytes;
  await readTexts({ ...request, files: lockfiles, fileBytes }, (file, text) => {
    const packages = analysis.readLockfile(text);
    if (packages === undefined) unreadable.push(clip(file.path));
    for (const entry of packages ?? []) locked.push({ ...entry, below: posix.dirname(file.path) });
  });
  return {
    manifests: manifestFiles.length,
    unreadable: unreadable.slice(0, 10),
    direct,
    lockfiles: lockfiles.length,
    ...analysis.countLicences(await askInstalled(request.repository, locked)),
  };
}

/** Older lockfiles tell no licences; the packages themselves do, where they are installed. */
async function askInstalled(repository: string, locked: readonly Installed[]): Promise<readonly Installed[]> {
  const answers: Installed[] = [];
  let asked = 0;
  for (const entry of locked) {
    const ask = entry.licence === null && asked < lookedUp && !entry.location.split('/').includes('..');
    if (ask) asked += 1;
    answers.push(ask ? { ...entry, licence: await installedLicence(repository, entry) } : entry);
  }
  return answers;
}

async function installedLicence(repository: string, entry: Installed): Promise<string | null> {
  const file = join(repository, entry.below, entry.location, 'package.json');
  const text = await readFile(file, 'utf8').catch(() => '');
  const content = analysis.parseObject(text);
  return content === undefined ? null : analysis.licenceOf(content);
}
