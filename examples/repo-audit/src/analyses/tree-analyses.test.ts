import { describe, expect, it } from '@jest/globals';
import type { TreeFile } from '../git/tree.js';
import { describeLayout, findDuplicates, findLargeFiles } from './tree-analyses.js';

const file = (path: string, values: Partial<TreeFile> = {}): TreeFile => ({
  path,
  oid: path,
  kind: 'file',
  bytes: 10,
  ...values,
});

describe('findDuplicates', () => {
  it('groups equal contents, the most wasteful first', () => {
    const found = findDuplicates([
      file('a', { oid: '1' }),
      file('b', { oid: '1' }),
      file('c', { oid: '2', bytes: 500 }),
      file('d', { oid: '2', bytes: 500 }),
      file('e', { oid: '2', bytes: 500 }),
      file('f'),
    ]);
    expect(found).toMatchObject({ groups: 2, copies: 3, wastedBytes: 1_010 });
    expect(found.largest[0]).toEqual({ bytes: 500, count: 3, paths: ['c', 'd', 'e'] });
  });

  it('leaves out empty files, links and submodules', () => {
    const twice = (values: Partial<TreeFile>) => [
      file('a', { oid: '1', ...values }),
      file('b', { oid: '1', ...values }),
    ];
    for (const values of [{ bytes: 0 }, { bytes: null }, { kind: 'symlink' }] as const) {
      expect(findDuplicates(twice(values)).groups).toBe(0);
    }
  });
});

describe('describeLayout', () => {
  it('counts folders, kinds and extensions', () => {
    const layout = describeLayout({
      truncated: false,
      files: [
        file('README.md'),
        file('src/a/b.ts', { kind: 'executable' }),
        file('src/link', { kind: 'symlink' }),
        file('vendor', { kind: 'submodule', bytes: null }),
      ],
    });
    expect(layout).toMatchObject({ files: 4, directories: 2, bytes: 30 });
    expect(layout).toMatchObject({ symlinks: 1, submodules: 1, executables: 1 });
    expect(layout.deepest).toEqual({ path: 'src/a/b.ts', depth: 2 });
    expect(layout.extensions[0]).toEqual({ extension: '(none)', files: 2, bytes: 10 });
  });

  it('names what other systems cannot hold', () => {
    const odd = ['a:b', 'tab\there', 'con', 'src/nul.txt', 'end ', 'dot./x', 'bad\ufffd'];
    const fine = ['a', '.github/x', 'console.ts', 'with space', 'ünïcode'];
    const layout = describeLayout({ truncated: false, files: [...odd, ...fine].map((path) => file(path)) });
    expect(layout.unusualNames).toEqual(odd);
  });

  it('finds names that differ in case alone', () => {
    const layout = describeLayout({ truncated: false, files: [file('Readme'), file('README'), file('x')] });
    expect(layout.caseCollisions).toEqual([['Readme', 'README']]);
  });

  it('describes an empty tree', () => {
    expect(describeLayout({ truncated: false, files: [] })).toMatchObject({ files: 0, deepest: null });
  });
});

describe('findLargeFiles', () => {
  it('lists the largest first', () => {
    const found = findLargeFiles([file('a'), file('b', { bytes: 2_000_000 }), file('c', { bytes: null })]);
    expect(found).toMatchObject({ total: 2, overOneMebibyte: 1 });
    expect(found.largest.map((entry) => entry.path)).toEqual(['b', 'a']);
  });
});
