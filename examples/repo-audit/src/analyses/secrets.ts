/** Something in a text that looks like a secret. */
export type SecretFinding = { readonly line: number; readonly kind: string };

const findingsPerKind = 20;

// Only forms that hardly occur by chance: a scan that cries wolf is not read.
const kinds: readonly { readonly kind: string; readonly pattern: RegExp }[] = [
  { kind: 'private key', pattern: /-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY-----/g },
  { kind: 'AWS access key id', pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g },
  { kind: 'GitHub token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b/g },
  { kind: 'GitLab token', pattern: /\bglpat-[A-Za-z0-9_-]{20}\b/g },
  { kind: 'Slack token', pattern: /\bxox[abprs]-\d{6,}-[A-Za-z0-9-]{20,}/g },
  { kind: 'Google API key', pattern: /\bAIza[A-Za-z0-9_-]{35}\b/g },
  { kind: 'Stripe key', pattern: /\b[rs]k_live_[A-Za-z0-9]{20,}\b/g },
  { kind: 'npm token', pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
];

/** Finds lines that look like they hold a secret. What was found is named by its kind, never repeated. */
export function findSecrets(text: string): SecretFinding[] {
  return kinds
    .flatMap(({ kind, pattern }) =>
      [...text.matchAll(pattern)]
        .slice(0, findingsPerKind)
        .map((match) => ({ line: lineAt(text, match.index), kind })),
    )
    .toSorted((one, other) => one.line - other.line);
}

function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
