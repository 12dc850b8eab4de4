import type { CodeMetrics, Duplicates, LargeFiles, Layout, Secrets } from '../results.js';
import { bytes, number, plural } from '../text.js';
import { code, list, plain, section, table } from './markdown.js';

const languagesShown = 15;

/** Lines, functions and markers by language and by part of the tree. */
export function codeSection(metrics: CodeMetrics): string {
  if (metrics.files === 0) return section('Code', 'There is no text file that could be measured.');
  const languages = metrics.languages.slice(0, languagesShown);
  return section(
    'Code',
    `${plural(metrics.lines, 'line')} in ${plural(metrics.files, 'text file')}, ` +
      `${number(metrics.blankLines)} of them blank; about ${plural(metrics.functions, 'function')}; ` +
      `${plural(metrics.markers, 'line')} with TODO, FIXME, HACK or XXX.`,
    table(
      ['Language', 'Kind', 'Files:', 'Lines:', 'Functions (about):'],
      languages.map((entry) => [
        plain(entry.language),
        entry.kind,
        number(entry.files),
        number(entry.lines),
        number(entry.functions),
      ]),
    ),
    table(
      ['Part of the tree', 'Text files:', 'Lines:', 'Functions (about):', 'Markers:'],
      metrics.parts.map((part) => [
        code(part.part),
        number(part.files),
        number(part.lines),
        number(part.functions),
        number(part.markers),
      ]),
    ),
    metrics.longest.length === 0
      ? undefined
      : table(
          ['Longest code files', 'Lines:'],
          metrics.longest.map((file) => [code(file.path), number(file.lines)]),
        ),
  );
}

/** How the tree is built, its largest files and its equal ones. */
export function treeSection(layout: Layout, large: LargeFiles, duplicates: Duplicates): string {
  return section(
    'Tree',
    `${plural(layout.files, 'file')} in ${plural(layout.directories, 'folder')}, ${bytes(layout.bytes)}; ` +
      `${plural(layout.executables, 'executable file')}, ${plural(layout.symlinks, 'symbolic link')}, ` +
      `${plural(layout.submodules, 'submodule')}.`,
    layout.deepest && layout.deepest.depth > 0
      ? `Deepest: ${code(layout.deepest.path)}, ${plural(layout.deepest.depth, 'folder')} down.`
      : undefined,
    table(
      ['Extension', 'Files:', 'Size:'],
      layout.extensions.map((entry) => [code(entry.extension), number(entry.files), bytes(entry.bytes)]),
    ),
    layout.caseCollisions.length === 0
      ? undefined
      : `Names that differ only in case, which macOS and Windows cannot hold together:\n\n${list(
          layout.caseCollisions.map((paths) => paths.map(code).join(', ')),
        )}`,
    layout.unusualNames.length === 0
      ? undefined
      : `Names that some tools or systems cannot hold:\n\n${list(layout.unusualNames.map(code))}`,
    large.largest.length === 0
      ? undefined
      : table(
          [`Largest files (${number(large.overOneMebibyte)} of more than 1 MiB)`, 'Size:'],
          large.largest.map((file) => [code(file.path), bytes(file.bytes)]),
        ),
    duplicates.groups === 0
      ? 'No two files have equal contents.'
      : `${plural(duplicates.groups, 'group')} of equal files, ${number(duplicates.copies)} copies beyond the first ` +
          `(${bytes(duplicates.wastedBytes)}):\n\n${list(
            duplicates.largest.map(
              (group) =>
                `${number(group.count)} × ${bytes(group.bytes)}: ${group.paths.map(code).join(', ')}`,
            ),
          )}`,
  );
}

/** What looks like a secret, by place and kind only. */
export function secretsSection(secrets: Secrets): string {
  if (secrets.count === 0) {
    return section(
      'Secrets',
      `Nothing in ${plural(secrets.coverage.read, 'text file')} looks like a secret.`,
    );
  }
  return section(
    'Secrets',
    `${plural(secrets.count, 'line')} may hold a secret. Check each; what is real must be replaced, ` +
      'because the history keeps it. The secrets themselves are not repeated here.',
    table(
      ['File', 'Line:', 'Looks like'],
      secrets.findings.map((finding) => [code(finding.path), String(finding.line), finding.kind]),
    ),
  );
}
