/** A link or image in a Markdown text, with the line it is on. */
export type MarkdownLink = { readonly target: string; readonly line: number };

/** What other documents can point at, and what this one points at. */
export type MarkdownDocument = {
  readonly links: readonly MarkdownLink[];
  /** Anchors without `#`, as GitHub derives them from headings, and explicit ids. */
  readonly anchors: ReadonlySet<string>;
};

// A heading of a whole paragraph is no heading worth a link; the patterns take long over a megabyte.
const headingCharacters = 500;

// A destination in angle brackets may hold spaces; one without may hold balanced parentheses (one level here).
const inline =
  /\]\(\s*(?:<([^<>\n]*)>|((?:[^\s()<>]|\([^\s()]*\))+))(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?\s*\)/g;
const definition = /^ {0,3}\[(?!\^)[^\]\n]{1,999}\]:\s*(?:<([^<>\n]*)>|(\S+))/;
const explicitAnchor = /<[a-z][a-z0-9]*\b[^>]{0,200}?\b(?:id|name)\s*=\s*["']([^"'\s]+)["']/gi;
const heading = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;

/** Reads links and anchors of a Markdown text. What stands in code is neither. */
export function readMarkdown(text: string): MarkdownDocument {
  const links: MarkdownLink[] = [];
  const anchors = new Set<string>();
  const repeated = new Map<string, number>();
  const lines = withoutCode(text);
  const addHeading = (content: string): void => {
    const slug = slugOf(content);
    const seen = repeated.get(slug) ?? 0;
    repeated.set(slug, seen + 1);
    anchors.add(seen === 0 ? slug : `${slug}-${seen}`);
  };
  for (const [index, line] of lines.entries()) {
    const title = heading.exec(line);
    if (title) addHeading(title[2] ?? '');
    else if (isUnderline(line) && (lines[index - 1] ?? '').trim() !== '') addHeading(lines[index - 1] ?? '');
    for (const match of line.matchAll(explicitAnchor)) anchors.add(match[1] ?? '');
    const defined = definition.exec(line);
    const found = defined ? [defined] : line.matchAll(inline);
    for (const match of found) links.push({ target: match[1] ?? match[2] ?? '', line: index + 1 });
  }
  return { links, anchors };
}

/** The anchor GitHub gives a heading: lower case, no punctuation, hyphens for spaces. */
function slugOf(title: string): string {
  return title
    .slice(0, headingCharacters)
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]*>/g, '')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}

/** The lines with fenced code emptied and code spans blanked out; a heading keeps the words of its spans. */
function withoutCode(text: string): string[] {
  let fence: string | undefined;
  return text.split(/\r?\n/).map((line) => {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined && mark !== undefined) {
      fence = mark;
      return '';
    }
    if (fence !== undefined) {
      if (mark !== undefined && mark.startsWith(fence)) fence = undefined;
      return '';
    }
    return heading.test(line) ? line.replaceAll('`', '') : line.replace(/(`+)(?:(?!\1).)*\1/g, '');
  });
}

function isUnderline(line: string): boolean {
  return /^ {0,3}(?:=+|-{2,})[ \t]*$/.test(line);
}
