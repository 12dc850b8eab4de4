/**
 * The lowest UUIDv7 of a time in milliseconds: the first 48 bits of an id are when it was made (RFC 9562, 5.7), so a
 * range of ids is a range of time.
 */
export function lowestId(ms: number): string {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
