import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parse } from '@baton/contracts';
import { writeInput } from '../plan/inputs.js';
import * as schemas from '../results.js';
import type { Step } from '../steps/step.js';
import { resultOf } from './merge-step.js';
import { writeReport } from './write-report.js';

/** `report.write`: writes the report from all results and answers where it is. */
export const writeStep: Step = async (input, { results }) => {
  const about = parse(writeInput, input, 'input of report.write');
  const findings = {
    code: resultOf(results, 'code', schemas.codeMetrics),
    history: resultOf(results, 'history', schemas.historyFindings),
    duplicates: resultOf(results, 'duplicates', schemas.duplicates),
    layout: resultOf(results, 'layout', schemas.layout),
    licences: resultOf(results, 'licences', schemas.licences),
    links: resultOf(results, 'links', schemas.links),
    secrets: resultOf(results, 'secrets', schemas.secrets),
    largeFiles: resultOf(results, 'largeFiles', schemas.largeFiles),
  };
  const markdown = writeReport(about, findings, new Date());
  await mkdir(dirname(about.reportPath), { recursive: true });
  // A reader never sees half a report, also when two attempts meet.
  const draft = `${about.reportPath}.${process.pid}`;
  await writeFile(draft, markdown);
  await rename(draft, about.reportPath);
  return {
    report: about.reportPath,
    bytes: Buffer.byteLength(markdown),
    lines: markdown.split('\n').length - 1,
  };
};
