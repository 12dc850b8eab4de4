import type { HistoryFindings } from '../results.js';
import { number, plural } from '../text.js';

type Views = Omit<HistoryFindings, 'remarks'>;

/** What stands out when the views on the history are put side by side, in sentences. */
export function remarksOn(views: Views): string[] {
  return [onPace(views), onAuthors(views), onHotFiles(views), onSizes(views)].filter(
    (remark) => remark !== undefined,
  );
}

function onPace({ activity }: Views): string | undefined {
  if ('unavailable' in activity || activity.activeMonths < 2) return undefined;
  const busiest = activity.months.reduce((best, month) => (month.commits > best.commits ? month : best));
  const mean = activity.commitsRead / activity.activeMonths;
  return (
    `${number(activity.commitsRead)} commits in ${activity.activeMonths} active months, ` +
    `${mean.toFixed(1)} in each on average; the busiest shown is ${busiest.month} with ${number(busiest.commits)}.`
  );
}

function onAuthors({ authors }: Views): string | undefined {
  if ('unavailable' in authors || authors.authors < 2) return undefined;
  return `Half of the commits come from ${number(authors.halfOfCommitsBy)} of ${number(authors.authors)} authors.`;
}

function onHotFiles({ churn }: Views): string | undefined {
  if ('unavailable' in churn) return undefined;
  const all = churn.added + churn.removed;
  const hot = churn.hotFiles.reduce((sum, file) => sum + file.added + file.removed, 0);
  if (all === 0 || churn.filesTouched <= churn.hotFiles.length) return undefined;
  const share = Math.round((100 * hot) / all);
  return `The ${churn.hotFiles.length} files changed most often take ${share} % of all changed lines.`;
}

function onSizes({ largeCommits }: Views): string | undefined {
  const largest = 'unavailable' in largeCommits ? undefined : largeCommits.largest[0];
  if ('unavailable' in largeCommits || largest === undefined || largeCommits.median === 0) return undefined;
  const times = Math.round(largest.lines / largeCommits.median);
  return times < 2
    ? undefined
    : `The largest commit changed ${plural(largest.lines, 'line')}, ${number(times)} times the median.`;
}
