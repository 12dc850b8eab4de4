/**
 * The words after a command, which must be one of those it knows (none is always one). Otherwise says so on standard
 * error and exits with 2.
 */
export function knownWords(command: string, known: readonly string[] = []): string {
  const words = process.argv.slice(2).join(' ');
  if (words === '' || known.includes(words)) return words;
  const expected = known.length === 0 ? 'takes nothing' : `takes nothing or "-- ${known.join('", "-- ')}"`;
  console.error(`"${command}" ${expected}, but got "${words}".`);
  process.exit(2);
}
