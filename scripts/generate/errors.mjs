import { ERRORS } from '../../packages/contracts/dist/index.js';
import { code, generatedNote, table } from './markdown.mjs';

/** `docs/errors.md`: the error catalogue. */
export function renderErrors() {
  const rows = Object.entries(ERRORS).map(([name, { status, retryable, title }]) => [
    code(name),
    status,
    retryable ? 'yes' : 'no',
    title,
  ]);
  return `${generatedNote('packages/contracts/src/errors.ts')}

# Errors

Whatever Baton refuses, it refuses with one of these codes. HTTP answers are problem documents (RFC 9457,
\`application/problem+json\`) with \`code\`, \`title\`, \`status\`, \`detail\` and \`retryable\`; agents and services get
\`{"ok": false, "error": {"code", "message", "retryable", "retryAfterMs"?, "details"?}}\`. Codes are stable; titles and
messages are for people and may change.

"Again?" says whether the very same request may succeed at another moment. Input that is not what was expected is
answered \`VALIDATION_FAILED\` with every problem in \`errors\`: \`{"pointer", "code", "detail"}\`, where \`pointer\` is a JSON
pointer (RFC 6901) into the request.

${table(['Code', 'HTTP', 'Again?', 'Meaning'], rows)}
`;
}
