import { describe, expect, it } from '@jest/globals';
import { partMetrics } from '../results.js';
import { measureFile } from './file-metrics.js';
import { mergeParts, summarisePart } from './part-metrics.js';

const coverage = { files: 2, read: 2, binary: 0, tooLarge: 0, notHere: 0, overLimit: 0 };
const files = [measureFile('a.ts', 'function a() {}\n\n// TODO\n'), measureFile('b.md', '# Title\n')];

describe('the figures of parts', () => {
  it('are the sums of their files', () => {
    const part = summarisePart('all', files, coverage);
    expect(part).toMatchObject({ part: 'all', files: 2, lines: 4, blankLines: 1, functions: 1, markers: 1 });
    expect(part.languages.map((entry) => entry.language)).toEqual(['TypeScript', 'Markdown']);
    expect(part.longest).toEqual([{ path: 'a.ts', lines: 3 }]);
    expect(partMetrics.parse(part)).toEqual(part);
  });

  it('add up to the same however the files are divided', () => {
    const half = { ...coverage, files: 1, read: 1 };
    const { parts: _, ...apart } = mergeParts(files.map((file) => summarisePart(file.path, [file], half)));
    const { parts: __, ...together } = mergeParts([summarisePart('all', files, coverage)]);
    expect(apart).toEqual(together);
  });

  it('can be those of nothing', () => {
    expect(mergeParts([])).toMatchObject({ files: 0, lines: 0, languages: [], longest: [], parts: [] });
  });
});
