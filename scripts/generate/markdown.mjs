/** The line that tells whoever opens a generated document not to edit it. */
export function generatedNote(source) {
  return `<!-- Made from ${source} by "npm run generate". Do not edit. -->`;
}

/** A table; cells are Markdown, `|` and line breaks in them are taken care of. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function code(text) {
  return `\`${text}\``;
}

function cell(text) {
  return String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');
}
