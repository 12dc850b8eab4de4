import type { HistoryFindings } from '../results.js';
import { number, plural } from '../text.js';
import { code, list, paragraphs, plain, section, table } from './markdown.js';

const barCharacters = 30;

/** Activity, authors, hot files and large commits. */
export function historySection(history: HistoryFindings): string {
  return section(
    'History',
    history.remarks.length === 0 ? undefined : list(history.remarks),
    block(history.activity, activityBlock),
    block(history.authors, authorsBlock),
    block(history.churn, churnBlock),
    block(history.largeCommits, largeCommitsBlock),
  );
}

function block<T extends object>(view: T | { unavailable: string }, show: (view: T) => string): string {
  return 'unavailable' in view ? `Not to be had from this clone: ${plain(view.unavailable)}` : show(view);
}

type Available<Name extends keyof HistoryFindings> = Exclude<HistoryFindings[Name], { unavailable: string }>;

function activityBlock(activity: Available<'activity'>): string {
  const most = Math.max(1, ...activity.months.map((month) => month.commits));
  const rows = activity.months.map((month) => [
    month.month,
    number(month.commits),
    number(month.authors),
    '█'.repeat(Math.ceil((barCharacters * month.commits) / most)),
  ]);
  const span =
    activity.first === activity.last ? `on ${activity.first}` : `from ${activity.first} to ${activity.last}`;
  return paragraphs(
    `${plural(activity.commitsRead, 'commit')} ${span}, ${plural(activity.merges, 'merge')}.`,
    table(['Month', 'Commits:', 'Authors:', ''], rows),
  );
}

function authorsBlock(authors: Available<'authors'>): string {
  const rows = authors.top.map((entry) => [
    plain(entry.author),
    number(entry.commits),
    entry.first,
    entry.last,
  ]);
  return table([`Authors (${number(authors.authors)})`, 'Commits:', 'First', 'Last'], rows);
}

function churnBlock(churn: Available<'churn'>): string {
  if (churn.filesTouched === 0) return 'No commit in this clone shows changes of files.';
  const rows = churn.hotFiles.map((file) => [
    code(file.path),
    number(file.commits),
    number(file.added),
    number(file.removed),
  ]);
  return paragraphs(
    `The last ${plural(churn.commitsRead, 'commit')} added ${plural(churn.added, 'line')} and removed ` +
      `${number(churn.removed)} in ${plural(churn.filesTouched, 'file')}.`,
    table(['Changed most often', 'Commits:', 'Lines added:', 'Lines removed:'], rows),
  );
}

function largeCommitsBlock(commits: Available<'largeCommits'>): string {
  if (commits.largest.length === 0) return '';
  const rows = commits.largest.map((commit) => [
    code(commit.hash),
    commit.at,
    plain(commit.subject),
    number(commit.files),
    number(commit.lines),
  ]);
  return paragraphs(
    `Half of the commits change at most ${plural(commits.median, 'line')}, nine in ten at most ${number(commits.p90)}.`,
    table(['Largest commits', 'Day', 'Subject', 'Files:', 'Lines:'], rows),
  );
}
