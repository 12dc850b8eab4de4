import { listTree, type Snapshot, type Tree } from '../git/tree.js';

let known: { readonly repository: string; readonly commit: string; readonly tree: Promise<Tree> } | undefined;

/**
 * The tree of a commit, listed once for all steps of this process on the same commit, which never changes. (Of 200,000
 * files that takes 2 s of a step's 2.5 s.) Steps share the listing, so the end of one does not end it.
 */
export function knownTree({ repository, commit }: Pick<Snapshot, 'repository' | 'commit'>): Promise<Tree> {
  if (known?.repository === repository && known.commit === commit) return known.tree;
  const tree = listTree({ repository, commit });
  known = { repository, commit, tree };
  tree.catch(() => (known = undefined));
  return tree;
}
