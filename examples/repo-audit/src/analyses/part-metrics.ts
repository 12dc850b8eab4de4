import type { Coverage } from '../git/contents.js';
import type { CodeMetrics, PartMetrics } from '../results.js';
import { clip, descending } from '../text.js';
import type { FileMetrics } from './file-metrics.js';

type LanguageShare = PartMetrics['languages'][number];
type LongFile = PartMetrics['longest'][number];

const longestShown = 10;

/** The figures of one part of the tree from those of its files. */
export function summarisePart(part: string, files: readonly FileMetrics[], coverage: Coverage): PartMetrics {
  return {
    part: clip(part),
    coverage,
    files: files.length,
    lines: sum(files, (file) => file.lines),
    blankLines: sum(files, (file) => file.blankLines),
    functions: sum(files, (file) => file.functions),
    markers: sum(files, (file) => file.markers),
    languages: addLanguages(
      files.map(({ language, lines, functions }) => ({
        language: language.name,
        kind: language.kind,
        files: 1,
        lines,
        functions,
      })),
    ),
    longest: longest(files.filter((file) => file.language.kind === 'code')),
  };
}

/** Adds up the parts of a tree. */
export function mergeParts(parts: readonly PartMetrics[]): CodeMetrics {
  return {
    coverage: {
      files: sum(parts, (part) => part.coverage.files),
      read: sum(parts, (part) => part.coverage.read),
      binary: sum(parts, (part) => part.coverage.binary),
      tooLarge: sum(parts, (part) => part.coverage.tooLarge),
      notHere: sum(parts, (part) => part.coverage.notHere),
      overLimit: sum(parts, (part) => part.coverage.overLimit),
    },
    files: sum(parts, (part) => part.files),
    lines: sum(parts, (part) => part.lines),
    blankLines: sum(parts, (part) => part.blankLines),
    functions: sum(parts, (part) => part.functions),
    markers: sum(parts, (part) => part.markers),
    languages: addLanguages(parts.flatMap((part) => part.languages)),
    longest: longest(parts.flatMap((part) => part.longest)),
    parts: parts
      .map(({ part, files, lines, functions, markers }) => ({ part, files, lines, functions, markers }))
      .toSorted(
        descending(
          (part) => part.lines,
          (part) => part.part,
        ),
      ),
  };
}

function addLanguages(shares: readonly LanguageShare[]): LanguageShare[] {
  const totals = new Map<string, LanguageShare>();
  for (const share of shares) {
    const total = totals.get(share.language);
    totals.set(share.language, {
      ...share,
      files: share.files + (total?.files ?? 0),
      lines: share.lines + (total?.lines ?? 0),
      functions: share.functions + (total?.functions ?? 0),
    });
  }
  return [...totals.values()].toSorted(
    descending(
      (share) => share.lines,
      (share) => share.language,
    ),
  );
}

function longest(files: readonly LongFile[]): LongFile[] {
  return files
    .toSorted(
      descending(
        (file) => file.lines,
        (file) => file.path,
      ),
    )
    .slice(0, longestShown)
    .map(({ path, lines }) => ({ path: clip(path), lines }));
}

function sum<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((total, item) => total + figure(item), 0);
}
