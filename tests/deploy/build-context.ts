import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutDirectory } from '@baton/stack';

type Rule = { readonly keeps: boolean; readonly pattern: RegExp };

/** Says of a path, relative to the checkout, whether .dockerignore lets it into the build. */
export function buildContext(): (path: string) => boolean {
  const rules = readFileSync(join(checkoutDirectory, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseRule);
  return (path) => {
    const parts = path.split('/');
    const withParents = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    // The last rule that names the path or a folder it lies in decides.
    const rule = rules.findLast(({ pattern }) => withParents.some((one) => pattern.test(one)));
    return rule?.keeps ?? true;
  };
}

/** Every file of the checkout that is part of the build. */
export function filesOfContext(): readonly string[] {
  const isKept = buildContext();
  const walk = (folder: string): readonly string[] =>
    readdirSync(join(checkoutDirectory, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (!entry.isDirectory()) return isKept(path) ? [path] : [];
      // Large, and no rule lets anything out of them.
      return ['node_modules', '.git', '.baton'].includes(entry.name) ? [] : walk(path);
    });
  return walk('');
}

function parseRule(line: string): Rule {
  const keeps = line.startsWith('!');
  const glob = keeps ? line.slice(1) : line;
  const expression = glob
    .replaceAll(/[.+^$(){}|[\]\\]/g, String.raw`\$&`)
    .replaceAll('**/', '\u0000')
    .replaceAll('*', '[^/]*')
    .replaceAll('\u0000', '(?:.*/)?');
  return { keeps, pattern: new RegExp(`^${expression}$`) };
}
