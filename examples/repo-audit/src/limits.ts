/** What bounds the work on a huge repository; the report says where a bound was met. Sizes are bytes. */
export const AUDIT_LIMITS = {
  treeFiles: 200_000,
  /** A larger file counts by its size alone. */
  fileBytes: 1024 * 1024,
  /** Read by one step, of all its files together. */
  stepFiles: 5_000,
  stepBytes: 32 * 1024 * 1024,
  /** Lockfiles are single files that tell much, hence larger ones are read. */
  lockfileBytes: 32 * 1024 * 1024,
  /** Parts of the tree that are measured apart; with the other steps the graph stays below 100 children. */
  parts: 24,
  /** Commits read for activity and authors, without their changes. */
  commits: 50_000,
  /** Commits read with their changes. */
  changedCommits: 1_000,
} as const;
