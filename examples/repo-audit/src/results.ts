import { z } from 'zod';

const count = z.number().int().min(0);

/** A step could not be done here; the text says why. */
const unavailable = z.object({ unavailable: z.string() });

const coverage = z.object({
  files: count,
  read: count,
  binary: count,
  tooLarge: count,
  notHere: count,
  overLimit: count,
});

const sizes = { files: count, lines: count, functions: count };
const languageShare = z.object({ language: z.string(), kind: z.enum(['code', 'markup', 'data']), ...sizes });
const longFile = z.object({ path: z.string(), lines: count });

/** What `code.metrics` finds in one part of the tree. */
export const partMetrics = z.object({
  part: z.string(),
  coverage,
  ...sizes,
  blankLines: count,
  /** Lines with TODO, FIXME, HACK or XXX. */
  markers: count,
  languages: z.array(languageShare),
  longest: z.array(longFile),
});
export type PartMetrics = z.infer<typeof partMetrics>;

/** All parts together. */
export const codeMetrics = z.object({
  coverage,
  ...sizes,
  blankLines: count,
  markers: count,
  languages: z.array(languageShare),
  longest: z.array(longFile),
  parts: z.array(z.object({ part: z.string(), ...sizes, markers: count })),
});
export type CodeMetrics = z.infer<typeof codeMetrics>;

/** Files with equal contents. */
export const duplicates = z.object({
  groups: count,
  /** Copies beyond the first of each group. */
  copies: count,
  wastedBytes: count,
  largest: z.array(z.object({ bytes: count, count, paths: z.array(z.string()) })),
});
export type Duplicates = z.infer<typeof duplicates>;

/** How the tree is built. */
export const layout = z.object({
  files: count,
  directories: count,
  bytes: count,
  truncated: z.boolean(),
  deepest: z.object({ path: z.string(), depth: count }).nullable(),
  symlinks: count,
  submodules: count,
  executables: count,
  extensions: z.array(z.object({ extension: z.string(), files: count, bytes: count })),
  /** Names that differ only in case, which some file systems cannot hold together. */
  caseCollisions: z.array(z.array(z.string())),
  /** Names that some tool or file system cannot hold. */
  unusualNames: z.array(z.string()),
});
export type Layout = z.infer<typeof layout>;

const period = { commitsRead: count, truncated: z.boolean(), shallow: z.boolean() };

export const activity = z.object({
  ...period,
  merges: count,
  first: z.string().nullable(),
  last: z.string().nullable(),
  months: z.array(z.object({ month: z.string(), commits: count, authors: count })),
  activeMonths: count,
});
export type Activity = z.infer<typeof activity>;

export const authors = z.object({
  ...period,
  authors: count,
  top: z.array(z.object({ author: z.string(), commits: count, first: z.string(), last: z.string() })),
  /** The fewest authors who together made half of the commits. */
  halfOfCommitsBy: count,
});
export type Authors = z.infer<typeof authors>;

export const churn = z.object({
  ...period,
  added: count,
  removed: count,
  filesTouched: count,
  hotFiles: z.array(z.object({ path: z.string(), commits: count, added: count, removed: count })),
});
export type Churn = z.infer<typeof churn>;

export const largeCommits = z.object({
  ...period,
  /** Lines a commit changed: half of the commits changed at most `median`, nine in ten at most `p90`. */
  median: count,
  p90: count,
  largest: z.array(
    z.object({ hash: z.string(), at: z.string(), subject: z.string(), files: count, lines: count }),
  ),
});
export type LargeCommits = z.infer<typeof largeCommits>;

/** The four views on the history and what stands out in them. */
export const historyFindings = z.object({
  activity: z.union([unavailable, activity]),
  authors: z.union([unavailable, authors]),
  churn: z.union([unavailable, churn]),
  largeCommits: z.union([unavailable, largeCommits]),
  remarks: z.array(z.string()),
});
export type HistoryFindings = z.infer<typeof historyFindings>;

const licenceShare = z.object({ licence: z.string(), packages: count });

export const licences = z.object({
  /** Licence files of the repository itself and what they look like. */
  own: z.array(z.object({ path: z.string(), licence: z.string() })),
  manifests: z.array(z.object({ ecosystem: z.string(), files: count })),
  npm: z.object({
    manifests: count,
    unreadable: z.array(z.string()),
    direct: count,
    lockfiles: count,
    locked: count,
    licences: z.array(licenceShare),
    /** Locked packages for which neither the lockfile nor node_modules tells a licence. */
    unknown: count,
    /** Packages under a licence that asks for sources to be passed on. */
    reciprocal: z.array(z.string()),
  }),
});
export type Licences = z.infer<typeof licences>;

export const links = z.object({
  coverage,
  documents: count,
  relative: count,
  anchors: count,
  external: count,
  broken: z.array(z.object({ document: z.string(), line: count, target: z.string(), reason: z.string() })),
  brokenCount: count,
});
export type Links = z.infer<typeof links>;

export const secrets = z.object({
  coverage,
  /** Where something looks like a secret; the secret itself is never passed on. */
  findings: z.array(z.object({ path: z.string(), line: count, kind: z.string() })),
  count,
});
export type Secrets = z.infer<typeof secrets>;

export const largeFiles = z.object({
  total: count,
  overOneMebibyte: count,
  largest: z.array(z.object({ path: z.string(), bytes: count })),
});
export type LargeFiles = z.infer<typeof largeFiles>;
