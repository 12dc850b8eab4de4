import type { Tree, TreeFile } from '../git/tree.js';
import type { Duplicates, LargeFiles, Layout } from '../results.js';
import { clip, descending } from '../text.js';

const shown = 10;
const mebibyte = 1024 * 1024;
// Refused by Windows, or read wrongly by tools that split at white space or lines; U+FFFD stands for no UTF-8.
const unusual = /[\p{Cc}<>:"|?*\\\ufffd]|[ .](?:\/|$)|(?:^|\/)(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\/|$)/iu;

/** Finds files with equal contents: git gives equal contents one id. Empty files do not count. */
export function findDuplicates(files: readonly TreeFile[]): Duplicates {
  const groups = grouped(
    files.filter(isStored).filter((file) => file.bytes > 0),
    (file) => file.oid,
  )
    .filter((group) => group.length > 1)
    .map((group) => ({ bytes: group[0]?.bytes ?? 0, paths: group.map((file) => file.path) }));
  const wasted = (group: (typeof groups)[number]) => group.bytes * (group.paths.length - 1);
  return {
    groups: groups.length,
    copies: groups.reduce((sum, group) => sum + group.paths.length - 1, 0),
    wastedBytes: groups.reduce((sum, group) => sum + wasted(group), 0),
    largest: groups
      .toSorted(descending(wasted, (group) => group.paths[0] ?? ''))
      .slice(0, shown)
      .map((group) => ({
        bytes: group.bytes,
        count: group.paths.length,
        paths: group.paths.slice(0, 4).map((path) => clip(path)),
      })),
  };
}

/** Describes how the tree is built: depth, kinds of files, names that make trouble elsewhere. */
export function describeLayout(tree: Tree): Layout {
  const { files } = tree;
  const deepest = files.toSorted(
    descending(
      (file) => depth(file.path),
      (file) => file.path,
    ),
  )[0];
  const collisions = grouped(files, (file) => file.path.toLowerCase()).filter((group) => group.length > 1);
  const ofKind = (kind: TreeFile['kind']) => files.filter((file) => file.kind === kind).length;
  return {
    files: files.length,
    directories: new Set(files.flatMap((file) => directoriesOf(file.path))).size,
    bytes: files.reduce((sum, file) => sum + (file.bytes ?? 0), 0),
    truncated: tree.truncated,
    deepest: deepest === undefined ? null : { path: clip(deepest.path), depth: depth(deepest.path) },
    symlinks: ofKind('symlink'),
    submodules: ofKind('submodule'),
    executables: ofKind('executable'),
    extensions: grouped(files, (file) => extensionOf(file.path))
      .map((group) => ({
        extension: clip(extensionOf(group[0]?.path ?? ''), 30),
        files: group.length,
        bytes: group.reduce((sum, file) => sum + (file.bytes ?? 0), 0),
      }))
      .toSorted(
        descending(
          (entry) => entry.files,
          (entry) => entry.extension,
        ),
      )
      .slice(0, shown),
    caseCollisions: collisions
      .slice(0, shown)
      .map((group) => group.map((file) => clip(file.path)).slice(0, 4)),
    unusualNames: files
      .filter((file) => unusual.test(file.path))
      .slice(0, shown)
      .map((file) => clip(file.path)),
  };
}

/** Lists the largest files of the tree. */
export function findLargeFiles(files: readonly TreeFile[]): LargeFiles {
  const stored = files.filter(isStored);
  return {
    total: stored.length,
    overOneMebibyte: stored.filter((file) => file.bytes > mebibyte).length,
    largest: stored
      .toSorted(
        descending(
          (file) => file.bytes,
          (file) => file.path,
        ),
      )
      .slice(0, shown)
      .map((file) => ({ path: clip(file.path), bytes: file.bytes })),
  };
}

/** How many directories a path lies in. */
function depth(path: string): number {
  return path.split('/').length - 1;
}

/** Every directory a path lies in, the top of the tree not counted. */
export function directoriesOf(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

function isStored(file: TreeFile): file is TreeFile & { readonly bytes: number } {
  return file.bytes !== null && file.kind !== 'symlink';
}

function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(dot).toLowerCase() : '(none)';
}

function grouped<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
