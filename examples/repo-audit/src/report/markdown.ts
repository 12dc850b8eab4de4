/** Text of a repository made harmless in Markdown: it stays on its line and means nothing. */
export function plain(text: string): string {
  return printable(text).replace(/[\\`*_[\]<>|#~!&]/g, '\\$&');
}

/** A name as code, also one with backticks or bars; usable in a table. */
export function code(text: string): string {
  const shown = printable(text);
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const space = longest > 0 || shown.trim() !== shown || shown === '' ? ' ' : '';
  return `${fence}${space}${shown.replaceAll('|', '\\|')}${space}${fence}`;
}

/** A table, nothing without rows; columns whose title ends in `:` are aligned to the right. Cells are Markdown already. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  return [
    row(titles.map((title) => title.replace(/:$/, ''))),
    row(titles.map((title) => (title.endsWith(':') ? '---:' : '---'))),
    ...rows.map(row),
  ].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** A bulleted list. */
export function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

/** A section with its blocks; undefined ones are left out. */
export function section(title: string, ...blocks: readonly (string | undefined)[]): string {
  return paragraphs(`## ${title}`, ...blocks);
}

/** Blocks with blank lines between them; empty and undefined ones are left out. */
export function paragraphs(...blocks: readonly (string | undefined)[]): string {
  return blocks.filter((block) => block !== undefined && block !== '').join('\n\n');
}

function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}
