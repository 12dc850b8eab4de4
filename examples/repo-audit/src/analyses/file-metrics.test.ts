import { describe, expect, it } from '@jest/globals';
import { measureFile } from './file-metrics.js';
import { languageOf } from './languages.js';

describe('measureFile', () => {
  it('counts lines with and without a final line break alike', () => {
    expect(measureFile('a.txt', '').lines).toBe(0);
    expect(measureFile('a.txt', 'one').lines).toBe(1);
    expect(measureFile('a.txt', 'one\n')).toMatchObject({ lines: 1, blankLines: 0 });
    expect(measureFile('a.txt', 'one\r\n\r\n')).toMatchObject({ lines: 2, blankLines: 1 });
  });

  it('counts lines with markers, not markers within words', () => {
    expect(measureFile('a.ts', '// TODO a\n// FIXME: TODO\nconst TODOS = 1\n').markers).toBe(2);
  });

  it.each([
    [
      'a.ts',
      'function one() {}\nconst two = () => 1;\nclass A {\n  three(): void {\n  }\n  if (x) {\n  }\n}\n',
      3,
    ],
    ['a.py', 'def one():\n  pass\n\nasync def two():\n  undefined = 1\n', 2],
    ['a.go', 'func main() {\n}\nfunc (s *S) Do() error {\n}\n', 2],
    ['a.rs', 'pub fn one() {}\nfn two<T>(x: T) -> T { x }\n', 2],
    ['A.java', 'public static void main(String[] args) {\n  if (a) {\n  } else if (b) {\n  }\n}\n', 1],
    ['a.c', 'static int add(int a, int b) {\n  return add(1, 2);\n}\nelse if (a) {\n', 1],
    ['run.sh', 'start() {\n}\nfunction stop {\n}\n', 2],
    ['a.json', '{"function": "=>"}\n', 0],
  ])('finds about the functions of %s', (path, text, functions) => {
    expect(measureFile(path, text).functions).toBe(functions);
  });

  it('takes a megabyte in one line without trouble', () => {
    const started = performance.now();
    for (const piece of ['a(', 'a ', ') {', 'async ']) measureFile('a.ts', piece.repeat(300_000));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('languageOf', () => {
  it('goes by the name, then by the first line', () => {
    const name = (path: string, text?: string) => languageOf(path, text).name;
    expect(name('src/a.ts')).toBe('TypeScript');
    expect(name('Dockerfile')).toBe('Dockerfile');
    expect(name('package-lock.json')).toBe('Lockfile');
    expect(name('bin/tool', '#!/usr/bin/env bash\n')).toBe('Shell');
    expect(name('bin/tool', '#!/usr/bin/env node\n')).toBe('JavaScript');
    expect(name('.gitignore')).toBe('Other');
    expect(name('constructor')).toBe('Other');
    expect(name('a.toString')).toBe('Other');
  });
});
