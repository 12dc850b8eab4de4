import type { TreeFile } from '../git/tree.js';
import { descending } from '../text.js';

/** One folder of a part: with everything below it, or the files directly in it alone. */
export type Folder = { readonly path: string; readonly deep: boolean };

/** A part of the tree that one task measures. */
export type Part = { readonly name: string; readonly folders: readonly Folder[] };

type SizedPart = Part & { readonly files: readonly TreeFile[]; readonly bytes: number };

/** A part of more than this share of the bytes is split, when it can be. */
const largeShare = 0.2;
/** Splitting stops at files too few to be worth a task. */
const splittableFiles = 20;

/**
 * Divides a tree by its top-level folders, the large ones by the folders in them; at most `limit` parts,
 * the smallest of more put together. Every file is in exactly one part; an empty tree has one empty part.
 */
export function divideTree(files: readonly TreeFile[], limit: number): readonly Part[] {
  const total = bytesOf(files);
  let parts = splitFolder('', files);
  for (;;) {
    const large = parts
      .filter((part) => part.bytes > total * largeShare && part.files.length > splittableFiles)
      .toSorted(
        descending(
          (part) => part.bytes,
          (part) => part.name,
        ),
      )
      .map((part) => ({ part, pieces: split(part) }))
      .find(({ pieces }) => pieces.length > 1 && parts.length - 1 + pieces.length <= limit);
    if (large === undefined) break;
    parts = parts.flatMap((part) => (part === large.part ? large.pieces : [part]));
  }
  return joinSmallest(parts, limit).map(({ name, folders }) => ({ name, folders }));
}

/** The files of a part, in the order of the tree. */
export function filesOf(part: Part, files: readonly TreeFile[]): readonly TreeFile[] {
  const deep = part.folders.filter((folder) => folder.deep).map((folder) => `${folder.path}/`);
  const shallow = new Set(part.folders.filter((folder) => !folder.deep).map((folder) => folder.path));
  return files.filter(
    (file) => shallow.has(folderOf(file.path)) || deep.some((prefix) => file.path.startsWith(prefix)),
  );
}

function split(part: SizedPart): SizedPart[] {
  const [folder] = part.folders;
  return folder?.deep === true ? splitFolder(folder.path, part.files) : [part];
}

function splitFolder(path: string, files: readonly TreeFile[]): SizedPart[] {
  const start = path === '' ? 0 : path.length + 1;
  const groups = new Map<string, TreeFile[]>();
  for (const file of files) {
    const slash = file.path.indexOf('/', start);
    const folder = slash === -1 ? path : file.path.slice(0, slash);
    const group = groups.get(folder);
    if (group === undefined) groups.set(folder, [file]);
    else group.push(file);
  }
  if (groups.size === 0) groups.set(path, []);
  return [...groups].map(([folder, inside]) => {
    const deep = folder !== path;
    return {
      name: nameOf(folder, deep),
      folders: [{ path: folder, deep }],
      files: inside,
      bytes: bytesOf(inside),
    };
  });
}

function nameOf(folder: string, deep: boolean): string {
  if (folder === '') return 'top-level files';
  return deep ? folder : `${folder} (files)`;
}

function joinSmallest(parts: readonly SizedPart[], limit: number): readonly SizedPart[] {
  if (parts.length <= limit) return parts;
  const bySize = parts.toSorted(
    descending(
      (part) => part.bytes,
      (part) => part.name,
    ),
  );
  const rest = bySize.slice(limit - 1);
  const joined = {
    name: `${rest.length} small folders`,
    folders: rest.flatMap((part) => part.folders),
    files: rest.flatMap((part) => part.files),
    bytes: rest.reduce((sum, part) => sum + part.bytes, 0),
  };
  return [...bySize.slice(0, limit - 1), joined];
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}

function bytesOf(files: readonly TreeFile[]): number {
  return files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
}
