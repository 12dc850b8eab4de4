import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TreeFile } from '../git/tree.js';
import { divideTree, filesOf } from './parts.js';

const file = (path: string, bytes = 100): TreeFile => ({ path, oid: path, kind: 'file', bytes });
const many = (folder: string, count: number) =>
  Array.from({ length: count }, (_, index) => file(`${folder}/file-${index}`));

describe('divideTree', () => {
  it('follows the top-level folders', () => {
    const parts = divideTree(
      [file('README.md'), file('docs/a.md'), file('src/a.ts'), file('src/b/c.ts')],
      24,
    );
    expect(parts.map((part) => part.name)).toEqual(['top-level files', 'docs', 'src']);
  });

  it('divides a large folder by the folders in it', () => {
    const files = [
      file('packages/x.json'),
      ...many('packages/one', 30),
      ...many('packages/two', 15),
      file('a'),
    ];
    const names = divideTree(files, 24).map((part) => part.name);
    expect(names).toEqual(['packages (files)', 'packages/one', 'packages/two', 'top-level files']);
  });

  it('puts the smallest together when there are too many', () => {
    const files = Array.from({ length: 50 }, (_, index) => file(`folder-${index}/a`, index + 1));
    const parts = divideTree(files, 24);
    expect(parts).toHaveLength(24);
    expect(parts.at(-1)?.name).toBe('27 small folders');
  });

  it('makes one empty part of an empty tree', () => {
    expect(divideTree([], 24)).toEqual([{ name: 'top-level files', folders: [{ path: '', deep: false }] }]);
  });

  it('puts every file into exactly one part, and never makes more than the limit', () => {
    const name = fc.constantFrom('a', 'b', 'ab', 'a b', 'é', '..c');
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `${names.join('/')}.x`);
    const files = fc
      .uniqueArray(path, { maxLength: 120 })
      .chain((paths) => fc.tuple(...paths.map((one) => fc.nat(1_000).map((bytes) => file(one, bytes)))));
    fc.assert(
      fc.property(files, fc.integer({ min: 2, max: 30 }), (tree, limit) => {
        const parts = divideTree(tree, limit);
        const assigned = parts.flatMap((part) => filesOf(part, tree));
        expect(assigned.toSorted(byPath)).toEqual(tree.toSorted(byPath));
        expect(parts.length).toBeLessThanOrEqual(limit);
      }),
    );
  });
});

function byPath(one: TreeFile, other: TreeFile): number {
  return one.path < other.path ? -1 : 1;
}
