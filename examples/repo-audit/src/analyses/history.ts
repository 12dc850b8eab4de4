import type { Commit, CommitLog } from '../git/commits.js';
import type { Activity, Authors, Churn, LargeCommits } from '../results.js';
import { clip, descending } from '../text.js';

const shown = 10;
const monthsShown = 24;

/** Commits by month. */
export function activityOf(log: CommitLog): Activity {
  const months = new Map<string, { commits: number; authors: Set<string> }>();
  for (const commit of log.commits) {
    const month = monthOf(commit);
    const entry = months.get(month) ?? { commits: 0, authors: new Set() };
    entry.commits += 1;
    entry.authors.add(commit.author);
    months.set(month, entry);
  }
  const days = log.commits.map(dayOf).toSorted();
  return {
    ...periodOf(log),
    merges: log.commits.filter((commit) => commit.merge).length,
    first: days[0] ?? null,
    last: days.at(-1) ?? null,
    months: [...months]
      .map(([month, entry]) => ({ month, commits: entry.commits, authors: entry.authors.size }))
      .toSorted((one, other) => (one.month < other.month ? -1 : 1))
      .slice(-monthsShown),
    activeMonths: months.size,
  };
}

/** Who made how many commits. Names as the repository's .mailmap has them; no addresses. */
export function authorsOf(log: CommitLog): Authors {
  const byAuthor = new Map<string, { commits: number; first: string; last: string }>();
  for (const commit of log.commits) {
    const day = dayOf(commit);
    const entry = byAuthor.get(commit.author) ?? { commits: 0, first: day, last: day };
    byAuthor.set(commit.author, {
      commits: entry.commits + 1,
      first: day < entry.first ? day : entry.first,
      last: day > entry.last ? day : entry.last,
    });
  }
  const ranked = [...byAuthor]
    .map(([author, entry]) => ({ author: clip(author, 100), ...entry }))
    .toSorted(
      descending(
        (entry) => entry.commits,
        (entry) => entry.author,
      ),
    );
  let covered = 0;
  const half = ranked.findIndex((entry) => (covered += entry.commits) * 2 >= log.commits.length);
  return {
    ...periodOf(log),
    authors: ranked.length,
    top: ranked.slice(0, shown),
    halfOfCommitsBy: half + 1,
  };
}

/** Which files change most often, and how many lines came and went. */
export function churnOf(log: CommitLog): Churn {
  const byPath = new Map<string, { commits: number; added: number; removed: number }>();
  for (const change of log.commits.flatMap((commit) => commit.changes)) {
    const entry = byPath.get(change.path) ?? { commits: 0, added: 0, removed: 0 };
    byPath.set(change.path, {
      commits: entry.commits + 1,
      added: entry.added + (change.added ?? 0),
      removed: entry.removed + (change.removed ?? 0),
    });
  }
  const files = [...byPath].map(([path, entry]) => ({ path, ...entry }));
  return {
    ...periodOf(log),
    added: files.reduce((sum, file) => sum + file.added, 0),
    removed: files.reduce((sum, file) => sum + file.removed, 0),
    filesTouched: files.length,
    hotFiles: files
      .toSorted(
        descending(
          (file) => file.commits * 1e9 + file.added + file.removed,
          (file) => file.path,
        ),
      )
      .slice(0, shown)
      .map((file) => ({ ...file, path: clip(file.path) })),
  };
}

/** The commits that changed most lines. */
export function largeCommitsOf(log: CommitLog): LargeCommits {
  const sized = log.commits
    .filter((commit) => !commit.merge)
    .map((commit) => ({
      hash: commit.hash.slice(0, 12),
      at: dayOf(commit),
      subject: clip(commit.subject, 100),
      files: commit.changes.length,
      lines: commit.changes.reduce((sum, change) => sum + (change.added ?? 0) + (change.removed ?? 0), 0),
    }))
    .toSorted(
      descending(
        (commit) => commit.lines,
        (commit) => commit.hash,
      ),
    );
  const quantile = (percent: number) =>
    sized[sized.length - Math.ceil((sized.length * percent) / 100)]?.lines ?? 0;
  return { ...periodOf(log), median: quantile(50), p90: quantile(90), largest: sized.slice(0, shown) };
}

function periodOf(log: CommitLog) {
  return { commitsRead: log.commits.length, truncated: log.truncated, shallow: log.shallow };
}

function dayOf(commit: Commit): string {
  return /^\d{4}-\d{2}-\d{2}/.exec(commit.at)?.[0] ?? 'unknown';
}

function monthOf(commit: Commit): string {
  const day = dayOf(commit);
  return day === 'unknown' ? day : day.slice(0, 7);
}
