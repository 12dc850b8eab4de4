import { posix } from 'node:path';
import type { Links } from '../results.js';
import { clip } from '../text.js';
import type { MarkdownDocument } from './markdown.js';

const shown = 25;

/** The paths of a tree, and its Markdown documents by path. */
export type LinkedTree = {
  /** Files and directories; the top of the tree is the empty path. */
  readonly paths: ReadonlySet<string>;
  readonly documents: ReadonlyMap<string, MarkdownDocument>;
};

type Checked = { readonly kind: 'relative' | 'anchor' | 'external'; readonly problem?: string };

/** Checks the links between the documents of a tree; what leaves the tree is only counted. */
export function checkLinks(tree: LinkedTree): Omit<Links, 'coverage'> {
  const all = [...tree.documents].flatMap(([path, document]) =>
    document.links.map((link) => ({ path, link, checked: checkLink(tree, path, link.target) })),
  );
  const ofKind = (kind: Checked['kind']) => all.filter((entry) => entry.checked.kind === kind).length;
  const broken = all.filter((entry) => entry.checked.problem !== undefined);
  return {
    documents: tree.documents.size,
    relative: ofKind('relative'),
    anchors: ofKind('anchor'),
    external: ofKind('external'),
    brokenCount: broken.length,
    broken: broken.slice(0, shown).map(({ path, link, checked }) => ({
      document: clip(path),
      line: link.line,
      target: clip(link.target),
      reason: checked.problem ?? '',
    })),
  };
}

function checkLink(tree: LinkedTree, from: string, target: string): Checked {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) return { kind: 'external' };
  const [beforeAnchor, anchor] = split(target, '#');
  const [file] = split(beforeAnchor, '?');
  const path = file === '' ? from : resolveIn(from, decode(file));
  // `../../issues` reaches pages of the site that shows the repository.
  if (path === undefined) return { kind: 'external' };
  const kind = file === '' ? 'anchor' : 'relative';
  if (!tree.paths.has(path)) return { kind, problem: 'no such file or directory' };
  const document = tree.documents.get(path);
  // Anchors of other files, such as `#L10`, are made by whatever shows them; so is the top of a page.
  if (document === undefined || anchor === '' || anchor.toLowerCase() === 'top') return { kind };
  const wanted = decode(anchor);
  const known = document.anchors.has(wanted) || document.anchors.has(wanted.toLowerCase());
  return known ? { kind } : { kind, problem: 'no such heading' };
}

/** The path in the tree a link means, or undefined when it leaves the tree. */
function resolveIn(from: string, target: string): string | undefined {
  const path = target.startsWith('/')
    ? posix.normalize(target.slice(1))
    : posix.normalize(posix.join(posix.dirname(from), target));
  if (path === '..' || path.startsWith('../')) return undefined;
  return path === '.' ? '' : path.replace(/\/$/, '');
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
