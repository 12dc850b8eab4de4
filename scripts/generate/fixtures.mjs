import { existsSync, readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../../packages/contracts/fixtures/', import.meta.url);

/** One golden message by its name: `folder/file`, as in `agent/task.start`. */
export function readFixture(name) {
  return { name, ...JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) };
}

export function hasFixture(name) {
  return existsSync(new URL(`${name}.json`, folder));
}

/** All golden messages of a folder. */
export function readFixtures(kind) {
  return readdirSync(new URL(`${kind}/`, folder))
    .toSorted()
    .map((file) => readFixture(`${kind}/${file.replace('.json', '')}`));
}
