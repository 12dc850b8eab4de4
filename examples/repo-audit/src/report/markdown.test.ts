import { describe, expect, it } from '@jest/globals';
import { code, paragraphs, plain, table } from './markdown.js';

describe('text of a repository', () => {
  it('means nothing in the report', () => {
    expect(plain('a|b *c* <img src=x> [d](e) `f`\n# g')).toBe(
      'a\\|b \\*c\\* \\<img src=x\\> \\[d\\](e) \\`f\\` \\# g',
    );
  });

  it('stays on its line and in its cell as code', () => {
    expect(code('a|b')).toBe('`a\\|b`');
    expect(code('a`b``c')).toBe('``` a`b``c ```');
    expect(code('new\nline\u202e')).toBe('` new line  `');
    expect(code('')).toBe('`  `');
  });
});

describe('table', () => {
  it('aligns the columns that say so', () => {
    expect(table(['A', 'B:'], [['x', '1']])).toBe('| A | B |\n| --- | ---: |\n| x | 1 |');
  });

  it('is nothing without rows, and leaves no gap', () => {
    expect(paragraphs('one', table(['A'], []), undefined, 'two')).toBe('one\n\ntwo');
  });
});
