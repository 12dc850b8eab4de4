import type { Licences, Links } from '../results.js';
import { number, plural } from '../text.js';
import { code, list, plain, section, table } from './markdown.js';

/** Licences of the project and of what it depends on. */
export function licencesSection(licences: Licences): string {
  const { npm, own, manifests } = licences;
  return section(
    'Dependencies and licences',
    own.length === 0
      ? 'The repository has no licence file.'
      : `Licence files: ${own.map((file) => `${code(file.path)} (${plain(file.licence)})`).join(', ')}.`,
    manifests.length === 0
      ? 'No manifest of a package manager was found.'
      : table(
          ['Manifests', 'Files:'],
          manifests.map((entry) => [plain(entry.ecosystem), number(entry.files)]),
        ),
    npm.manifests === 0 ? undefined : npmSummary(npm),
    npm.licences.length === 0
      ? undefined
      : table(
          ['Licence of locked npm packages', 'Packages:'],
          npm.licences.map((entry) => [plain(entry.licence), number(entry.packages)]),
        ),
    npm.reciprocal.length === 0
      ? undefined
      : `Under a licence that asks for sources to be passed on:\n\n${list(npm.reciprocal.map(plain))}`,
    npm.unreadable.length === 0
      ? undefined
      : `These hold no valid JSON: ${npm.unreadable.map(code).join(', ')}.`,
  );
}

function npmSummary(npm: Licences['npm']): string {
  const locked =
    npm.lockfiles === 0
      ? 'Nothing is locked by npm.'
      : `${plural(npm.lockfiles, 'lockfile')} with ${plural(npm.locked, 'package')}, ` +
        `${number(npm.unknown)} of them without a known licence.`;
  return `${plural(npm.manifests, 'package.json file')} naming ${plural(npm.direct, 'direct dependency').replace(/ys$/, 'ies')}. ${locked}`;
}

/** Whether the links of the documents lead somewhere. */
export function linksSection(links: Links): string {
  if (links.documents === 0) return section('Documents', 'There are no Markdown documents.');
  return section(
    'Documents',
    `${plural(links.documents, 'Markdown document')} with ${plural(links.relative, 'link')} to files, ` +
      `${number(links.anchors)} to headings of the same page and ${number(links.external)} to elsewhere (not checked).`,
    links.brokenCount === 0
      ? 'Every link inside the repository leads somewhere.'
      : `${plural(links.brokenCount, 'link')} leading nowhere:`,
    links.brokenCount === 0
      ? undefined
      : table(
          ['Document', 'Line:', 'Target', 'Why'],
          links.broken.map((link) => [
            code(link.document),
            String(link.line),
            code(link.target),
            link.reason,
          ]),
        ),
  );
}
