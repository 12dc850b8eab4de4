const NAMES =
  'authorization|proxy-authorization|cookie|set-cookie|passw(?:or)?d|passphrase|secret|(?:[a-z]+_?)?token|' +
  'api[-_]?key|private[-_]?key|credentials?|creds|seed|jwt';

/** Values of fields that are secret by their name, in JSON. */
const FIELDS = new RegExp(`("(?:${NAMES})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, 'gi');
/** User and password in the address of a database or a server. */
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/"'@\\]+@/gi;
const BEARER = /\b(Bearer|Basic) [\w.~+/=-]{8,}/gi;
const JWT = /\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g;
/** Seeds of NATS users, accounts, operators. */
const SEED = /\bS[UAOCNX][A-Z2-7]{56}\b/g;

/**
 * A line of the log without secrets, wherever in it they stand: a field of their name however deep, the text of an
 * error, its stack. The whole line is looked at (some 2 µs), because whoever logs an error cannot know what is in it.
 */
export function redact(line: string): string {
  return line
    .replace(FIELDS, '$1"(hidden)"')
    .replace(USER_INFO, '$1(hidden)@')
    .replace(BEARER, '$1 (hidden)')
    .replace(JWT, '(hidden)')
    .replace(SEED, '(hidden)');
}
