import { languageOf, type Language } from './languages.js';

/** What one text file consists of. */
export type FileMetrics = {
  readonly path: string;
  readonly language: Language;
  readonly lines: number;
  readonly blankLines: number;
  readonly functions: number;
  readonly markers: number;
};

// A pattern meets a minified line of a megabyte otherwise.
const inspectedCharacters = 500;
const marker = /\b(?:TODO|FIXME|HACK|XXX)\b/;

/** Counts lines, beginnings of functions (approximately) and markers such as TODO in one file. */
export function measureFile(path: string, text: string): FileMetrics {
  const language = languageOf(path, text);
  let lines = 0;
  let blankLines = 0;
  let functions = 0;
  let markers = 0;
  for (let start = 0; start < text.length;) {
    const next = text.indexOf('\n', start);
    const end = next === -1 ? text.length : next;
    const line = text.slice(start, Math.min(end, start + inspectedCharacters));
    lines += 1;
    if (line.trim() === '') blankLines += 1;
    else {
      if (language.functions?.test(line) === true) functions += 1;
      if (marker.test(line)) markers += 1;
    }
    start = end + 1;
  }
  return { path, language, lines, blankLines, functions, markers };
}
