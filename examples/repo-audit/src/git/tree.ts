import { AUDIT_LIMITS } from '../limits.js';
import { isPartialClone } from './repository.js';
import { gitLines, gitRecords } from './run-git.js';

/** One entry of a commit's tree. */
export type TreeFile = {
  readonly path: string;
  /** Equal exactly when the contents are. */
  readonly oid: string;
  readonly kind: 'file' | 'executable' | 'symlink' | 'submodule';
  /** Null when the content is not in this repository: a submodule, or an object a partial clone left out. */
  readonly bytes: number | null;
};

export type Tree = {
  /** In the order of git: sorted by the bytes of the path. */
  readonly files: readonly TreeFile[];
  /** The tree has more entries than the audit looks at. */
  readonly truncated: boolean;
};

/** Which repository and commit a step works on. */
export type Snapshot = {
  readonly repository: string;
  readonly commit: string;
  readonly signal?: AbortSignal | undefined;
};

const kinds: Readonly<Record<string, TreeFile['kind']>> = {
  '100755': 'executable',
  '120000': 'symlink',
  '160000': 'submodule',
};

/** Lists all files of a commit with their sizes, without touching the work tree. */
export async function listTree(snapshot: Snapshot): Promise<Tree> {
  const entries: Omit<TreeFile, 'bytes'>[] = [];
  const call = { ...snapshot, arguments: ['ls-tree', '-r', '-z', '--full-tree', snapshot.commit] };
  for await (const record of gitRecords(call)) {
    if (entries.length === AUDIT_LIMITS.treeFiles) {
      return { files: await withSizes(snapshot, entries), truncated: true };
    }
    const tab = record.indexOf('\t');
    const [mode = '', , oid = ''] = record.slice(0, tab).split(' ');
    entries.push({ path: record.slice(tab + 1), oid, kind: kinds[mode] ?? 'file' });
  }
  return { files: await withSizes(snapshot, entries), truncated: false };
}

async function withSizes(
  snapshot: Snapshot,
  entries: readonly Omit<TreeFile, 'bytes'>[],
): Promise<readonly TreeFile[]> {
  const missing = await missingObjects(snapshot);
  const asked = [
    ...new Set(entries.filter((entry) => entry.kind !== 'submodule').map((entry) => entry.oid)),
  ].filter((oid) => !missing.has(oid));
  const sizes = asked.length === 0 ? new Map<string, number>() : await objectSizes(snapshot, asked);
  return entries.map((entry) => ({ ...entry, bytes: sizes.get(entry.oid) ?? null }));
}

/** Asking git for an object that a partial clone left out would fetch it, or fail; so they are known before. */
async function missingObjects(snapshot: Snapshot): Promise<ReadonlySet<string>> {
  const { repository, signal } = snapshot;
  if (!(await isPartialClone({ repository, signal }))) return new Set();
  const missing = new Set<string>();
  const words = [
    'rev-list',
    '--objects',
    '--missing=print',
    '--no-object-names',
    `${snapshot.commit}^{tree}`,
  ];
  for await (const line of gitLines({ repository, signal, arguments: words })) {
    if (line.startsWith('?')) missing.add(line.slice(1));
  }
  return missing;
}

async function objectSizes(snapshot: Snapshot, oids: readonly string[]): Promise<Map<string, number>> {
  const { repository, signal } = snapshot;
  const sizes = new Map<string, number>();
  const call = {
    repository,
    signal,
    arguments: ['cat-file', '--batch-check=%(objectname) %(objectsize)', '--buffer'],
    input: `${oids.join('\n')}\n`,
  };
  for await (const line of gitLines(call)) {
    const [oid = '', size = ''] = line.split(' ');
    if (/^\d+$/.test(size)) sizes.set(oid, Number(size));
  }
  return sizes;
}
