import { describe, expect, it } from '@jest/globals';
import { checkLinks } from './links.js';
import { readMarkdown } from './markdown.js';

function check(documents: Readonly<Record<string, string>>, ...others: readonly string[]) {
  const read = new Map(Object.entries(documents).map(([path, text]) => [path, readMarkdown(text)]));
  return checkLinks({ paths: new Set(['', ...read.keys(), ...others]), documents: read });
}

describe('checkLinks', () => {
  it('resolves links from where the document lies', () => {
    const text = '[a](b.md) [b](../README.md) [c](/docs/b.md) [d](./) [e](..) [f](b.md?raw=1#top)';
    const found = check({ 'docs/a.md': text, 'docs/b.md': '', 'README.md': '' }, 'docs');
    expect(found).toMatchObject({ documents: 3, relative: 6, brokenCount: 0 });
  });

  it('says where and why a link is broken', () => {
    const found = check({ 'a.md': '# Title\n\n[x](missing.md)\n[y](#titel)\n[z](a.md#title)' });
    expect(found).toMatchObject({ relative: 2, anchors: 1, brokenCount: 2 });
    expect(found.broken).toEqual([
      { document: 'a.md', line: 3, target: 'missing.md', reason: 'no such file or directory' },
      { document: 'a.md', line: 4, target: '#titel', reason: 'no such heading' },
    ]);
  });

  it('only counts what leaves the repository', () => {
    const text = '[a](https://x.org/#y) [b](//x.org) [c](mailto:a@b.c) [d](../../issues)';
    expect(check({ 'a.md': text })).toMatchObject({ external: 4, brokenCount: 0 });
  });

  it('decodes names, and takes those that cannot be decoded as they are', () => {
    const found = check(
      { 'a.md': '[a](with%20space.txt) [b](<with space.txt>) [c](100%.txt)' },
      'with space.txt',
    );
    expect(found.broken.map((link) => link.target)).toEqual(['100%.txt']);
  });

  it('does not look for line numbers in other files', () => {
    expect(check({ 'a.md': '[a](src/a.ts#L10) [b](#top)' }, 'src/a.ts').brokenCount).toBe(0);
  });
});

describe('readMarkdown', () => {
  const targets = (text: string) => readMarkdown(text).links.map((link) => link.target);

  it('finds links, images, links around images and definitions', () => {
    expect(targets('[a](x) ![b](y "title") [![c](i)](z)\n[d]: <u v>\n[^1]: note')).toEqual([
      'x',
      'y',
      'i',
      'z',
      'u v',
    ]);
    expect(targets('[a](x_(y).md)')).toEqual(['x_(y).md']);
  });

  it('leaves out code', () => {
    expect(targets('`[a](x)`\n```\n[b](y)\n```\n~~~~\n```\n[c](z)\n~~~~\n[d](w)')).toEqual(['w']);
  });

  it('derives anchors as GitHub does', () => {
    const text =
      '# What is `it`?\n## A B_c-D\n## A B_c-D\nTitle\n=====\n### [Link](x) & é!\n<a name="own"></a>\n';
    expect([...readMarkdown(text).anchors]).toEqual([
      'what-is-it',
      'a-b_c-d',
      'a-b_c-d-1',
      'title',
      'link--é',
      'own',
    ]);
  });

  it('takes a megabyte of brackets without trouble', () => {
    const started = performance.now();
    for (const piece of ['[](', '](a', '](<', '` ', '<a ', '](x ("', ']((('])
      readMarkdown(piece.repeat(200_000));
    for (const piece of ['[', '<', '`']) readMarkdown(`# ${piece.repeat(200_000)}`);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
