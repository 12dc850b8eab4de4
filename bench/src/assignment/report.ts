import type { Figures } from './figures.js';

/** The figures of one line of the table, each the mean over the seeds. */
export type Line = {
  readonly scenario: string;
  readonly contestant: string;
  readonly figures: Figures;
  readonly missed: readonly string[];
};

const columns: readonly { readonly title: string; readonly of: (figures: Figures) => string }[] = [
  { title: 'wait mean', of: ({ waitMean }) => time(waitMean) },
  { title: 'wait p99', of: ({ waitP99 }) => time(waitP99) },
  { title: 'P1 p99', of: ({ urgentP99 }) => time(urgentP99) },
  { title: 'objectives %', of: ({ objectives }) => percent(objectives) },
  { title: 'P1 %', of: ({ urgentObjectives }) => percent(urgentObjectives) },
  { title: 'P5 max', of: ({ lowestMax }) => time(lowestMax) },
  { title: 'match', of: ({ match }) => match.toFixed(3) },
  { title: 'in time %', of: ({ inTime }) => percent(inTime) },
  { title: 'success %', of: ({ success }) => percent(success) },
  { title: 'conflicts', of: ({ conflicts }) => conflicts.toFixed(4) },
];

/** The table in Markdown. */
export function tableOf(lines: readonly Line[]): string {
  const head = ['scenario', 'chosen by', ...columns.map(({ title }) => title)];
  const rows = lines.map(({ scenario, contestant, figures }, index) => {
    const name = lines[index - 1]?.scenario === scenario ? '' : scenario;
    return [name, contestant, ...columns.map(({ of }) => of(figures))];
  });
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** One line for whoever watches. */
export function lineOf({ scenario, contestant, figures, missed }: Line): string {
  const values = columns.map(({ title, of }) => `${title} ${of(figures)}`).join(' · ');
  const verdict = missed.length === 0 ? '' : `  MISSED: ${missed.join(', ')}`;
  return `${scenario} · ${contestant}: ${values}${verdict}`;
}

function time(value: number): string {
  return value < 100 ? value.toFixed(3) : value.toFixed(0);
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}
