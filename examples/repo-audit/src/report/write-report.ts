import { AUDIT_LIMITS } from '../limits.js';
import type { WriteInput } from '../plan/inputs.js';
import type {
  CodeMetrics,
  Duplicates,
  HistoryFindings,
  LargeFiles,
  Layout,
  Licences,
  Links,
  Secrets,
} from '../results.js';
import { bytes, number, plural } from '../text.js';
import { codeSection, secretsSection, treeSection } from './code-sections.js';
import { historySection } from './history-section.js';
import { code, list, plain, section, table } from './markdown.js';
import { licencesSection, linksSection } from './project-sections.js';

/** Everything the report is written from. */
export type Findings = {
  readonly code: CodeMetrics;
  readonly history: HistoryFindings;
  readonly duplicates: Duplicates;
  readonly layout: Layout;
  readonly licences: Licences;
  readonly links: Links;
  readonly secrets: Secrets;
  readonly largeFiles: LargeFiles;
};

/** The report as Markdown. */
export function writeReport(about: WriteInput, findings: Findings, writtenAt: Date): string {
  const where = about.branch === null ? 'a detached HEAD' : `the branch ${code(about.branch)}`;
  const sections = [
    `# Audit of ${plain(about.name)}`,
    `Commit ${code(about.commit)} on ${where}, ${writtenAt.toISOString().slice(0, 16).replace('T', ' ')} UTC. ` +
      'What is not committed was not looked at.',
    summary(findings),
    codeSection(findings.code),
    treeSection(findings.layout, findings.largeFiles, findings.duplicates),
    historySection(findings.history),
    licencesSection(findings.licences),
    linksSection(findings.links),
    secretsSection(findings.secrets),
    section('What was left out', list(leftOut(about, findings))),
  ];
  return `${sections.join('\n\n')}\n`;
}

function summary(findings: Findings): string {
  const { layout, licences, links, secrets, duplicates } = findings;
  const { activity, authors } = findings.history;
  const language = findings.code.languages.find((entry) => entry.kind === 'code');
  return table(
    ['', ''],
    [
      ['Files', `${number(layout.files)} (${bytes(layout.bytes)})`],
      ['Lines of text', number(findings.code.lines)],
      [
        'Main language',
        language ? `${plain(language.language)} (${plural(language.lines, 'line')})` : 'none',
      ],
      ['Commits', 'unavailable' in activity ? 'unknown' : atLeast(activity.commitsRead, activity.truncated)],
      ['Authors', 'unavailable' in authors ? 'unknown' : atLeast(authors.authors, authors.truncated)],
      ['Locked npm packages', number(licences.npm.locked)],
      ['Broken links', number(links.brokenCount)],
      ['Copies of files', number(duplicates.copies)],
      ['Possible secrets', number(secrets.count)],
    ],
  );
}

function atLeast(count: number, truncated: boolean): string {
  return truncated ? `${number(count)} or more` : number(count);
}

function leftOut(about: WriteInput, findings: Findings): string[] {
  const { coverage } = findings.code;
  const { activity, churn } = findings.history;
  const notes = [
    `Of ${plural(coverage.files, 'file')}, ${number(coverage.read)} were read as text and ` +
      `${number(coverage.binary)} skipped as binary.`,
    coverage.tooLarge > 0 &&
      `${plural(coverage.tooLarge, 'file')} larger than ${bytes(AUDIT_LIMITS.fileBytes)} were not read.`,
    coverage.notHere > 0 &&
      `Not followed: ${number(coverage.notHere)} symbolic links, submodules or objects missing in this clone.`,
    [coverage, findings.secrets.coverage, findings.links.coverage].some((each) => each.overLimit > 0) &&
      `A step reads at most ${plural(AUDIT_LIMITS.stepFiles, 'file')} and ${bytes(AUDIT_LIMITS.stepBytes)}: ` +
        `${number(coverage.overLimit)} beyond that were not measured, ` +
        `${number(findings.secrets.coverage.overLimit)} not searched for secrets, ` +
        `${number(findings.links.coverage.overLimit)} documents not checked.`,
    findings.layout.truncated &&
      `Only the first ${plural(AUDIT_LIMITS.treeFiles, 'file')} of the tree were listed.`,
    !('unavailable' in activity) &&
      activity.truncated &&
      `Only the latest ${plural(AUDIT_LIMITS.commits, 'commit')} were counted.`,
    !('unavailable' in churn) &&
      churn.truncated &&
      `Changes were read from the latest ${plural(AUDIT_LIMITS.changedCommits, 'commit')} only.`,
    about.shallow &&
      'This is a shallow clone: older history is not in it, and its oldest commits show no changes.',
    about.partial && 'This is a partial clone: what it left out was not fetched.',
    'Functions are counted by how lines look, not by parsing.',
  ];
  return notes.filter((note) => note !== false);
}
