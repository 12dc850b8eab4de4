import { describe, expect, it } from '@jest/globals';
import type { Commit, CommitLog } from '../git/commits.js';
import { remarksOn } from '../report/history-remarks.js';
import { activityOf, authorsOf, churnOf, largeCommitsOf } from './history.js';

const commit = (values: Partial<Commit> = {}): Commit => ({
  hash: '0'.repeat(40),
  at: '2026-03-04T05:06:07+02:00',
  author: 'Ada',
  subject: 'Change',
  merge: false,
  changes: [],
  ...values,
});
const log = (...commits: readonly Commit[]): CommitLog => ({ commits, truncated: false, shallow: false });
const change = (path: string, added: number | null, removed: number | null) => ({ path, added, removed });

describe('activityOf', () => {
  it('counts commits and authors by month', () => {
    const activity = activityOf(
      log(commit(), commit({ author: 'Bo' }), commit({ at: '2026-01-31T00:00:00Z', merge: true })),
    );
    expect(activity).toMatchObject({ merges: 1, first: '2026-01-31', last: '2026-03-04', activeMonths: 2 });
    expect(activity.months).toEqual([
      { month: '2026-01', commits: 1, authors: 1 },
      { month: '2026-03', commits: 2, authors: 2 },
    ]);
  });

  it('keeps commits with a senseless date', () => {
    expect(activityOf(log(commit({ at: '' }))).months).toEqual([
      { month: 'unknown', commits: 1, authors: 1 },
    ]);
  });
});

describe('authorsOf', () => {
  it('says how few made half of the commits', () => {
    const commits = ['Ada', 'Ada', 'Ada', 'Bo', 'Cy'].map((author) => commit({ author }));
    const authors = authorsOf(log(...commits));
    expect(authors).toMatchObject({ authors: 3, halfOfCommitsBy: 1 });
    expect(authors.top[0]).toEqual({ author: 'Ada', commits: 3, first: '2026-03-04', last: '2026-03-04' });
  });
});

describe('churnOf', () => {
  it('adds up the changes of each file, binary ones without lines', () => {
    const churn = churnOf(
      log(
        commit({ changes: [change('a', 5, 1), change('logo', null, null)] }),
        commit({ changes: [change('a', 1, 1)] }),
      ),
    );
    expect(churn).toMatchObject({ added: 6, removed: 2, filesTouched: 2 });
    expect(churn.hotFiles[0]).toEqual({ path: 'a', commits: 2, added: 6, removed: 2 });
  });
});

describe('largeCommitsOf', () => {
  it('gives median and ninth decile of the lines changed', () => {
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100];
    const commits = sizes.map((size) => commit({ hash: `${size}`, changes: [change('a', size, 0)] }));
    const large = largeCommitsOf(log(...commits));
    expect(large).toMatchObject({ median: 5, p90: 9 });
    expect(large.largest[0]).toMatchObject({ hash: '100', lines: 100, files: 1 });
  });

  it('answers for a log without commits', () => {
    expect(largeCommitsOf(log())).toMatchObject({ median: 0, p90: 0, largest: [] });
  });
});

describe('remarksOn', () => {
  it('says nothing where there is nothing to say', () => {
    const one = log(commit());
    const views = {
      activity: activityOf(one),
      authors: authorsOf(one),
      churn: churnOf(one),
      largeCommits: { unavailable: 'not here' },
    };
    expect(remarksOn(views)).toEqual([]);
  });

  it('puts the views in sentences', () => {
    const commits = Array.from({ length: 12 }, (_, index) =>
      commit({
        author: index < 8 ? 'Ada' : 'Bo',
        at: index < 3 ? '2026-01-01T00:00:00Z' : '2026-02-01T00:00:00Z',
        changes: [change(`file-${index}`, index === 0 ? 70 : 2, 0)],
      }),
    );
    const all = log(...commits);
    const views = {
      activity: activityOf(all),
      authors: authorsOf(all),
      churn: churnOf(all),
      largeCommits: largeCommitsOf(all),
    };
    expect(remarksOn(views)).toEqual([
      '12 commits in 2 active months, 6.0 in each on average; the busiest shown is 2026-02 with 9.',
      'Half of the commits come from 1 of 2 authors.',
      'The 10 files changed most often take 96 % of all changed lines.',
      'The largest commit changed 70 lines, 35 times the median.',
    ]);
  });
});
