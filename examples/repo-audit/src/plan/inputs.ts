import { isAbsolute } from 'node:path';
import { z } from 'zod';

const absolute = z.string().refine(isAbsolute, 'expected an absolute path');
const snapshot = {
  repository: absolute,
  commit: z.string().regex(/^[0-9a-f]{40,64}$/, 'expected the full id of a commit'),
};

/** Input of `audit.plan`. */
export const planInput = z.object({
  /** A directory in the repository to audit. */
  repo: absolute,
  /** Where the report is written. */
  reportPath: absolute.refine((path) => path.endsWith('.md'), 'expected a path that ends in .md'),
});

/** Input of every step that reads the repository. */
export const snapshotInput = z.object(snapshot);

const part = z.object({
  name: z.string(),
  folders: z.array(z.object({ path: z.string(), deep: z.boolean() })),
});

/** Input of `code.metrics`. */
export const codeInput = z.discriminatedUnion('look', [
  z.object({ ...snapshot, look: z.literal('part'), part }),
  z.object({ ...snapshot, look: z.literal('duplicates') }),
  z.object({ ...snapshot, look: z.literal('layout') }),
]);

export const historyLooks = ['activity', 'authors', 'churn', 'largeCommits'] as const;

/** Input of `git.history`. */
export const historyInput = z.object({ ...snapshot, look: z.enum(historyLooks) });

/** Input of `files.scan`. */
export const scanInput = z.object({ ...snapshot, look: z.enum(['secrets', 'largeFiles']) });

/** Input of `report.merge`. */
export const mergeInput = z.object({ of: z.enum(['code', 'history']) });

/** Input of `report.write`. */
export const writeInput = z.object({
  reportPath: planInput.shape.reportPath,
  name: z.string(),
  commit: snapshot.commit,
  branch: z.string().nullable(),
  shallow: z.boolean(),
  partial: z.boolean(),
});
export type WriteInput = z.infer<typeof writeInput>;
