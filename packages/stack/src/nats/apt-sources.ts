/** One archive of packages in the machine's own apt configuration. */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Options such as `signed-by=/usr/share/keyrings/x.gpg`, as a line of sources.list holds them. */
  readonly options: readonly string[];
}

/** Reads a file in the one-line format of sources.list. */
export function parseListFile(text: string): readonly AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split('\n')) {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line.trim());
    if (match === null) continue;
    const [, options = '', uri = '', suite = '', components = ''] = match;
    sources.push({
      uri,
      suites: [suite],
      components: words(components),
      options: words(options).filter((option) => /^(signed-by|trusted)=/i.test(option)),
    });
  }
  return sources;
}

/** Reads a file in the deb822 format of sources.list.d/*.sources. */
export function parseSourcesFile(text: string): readonly AptSource[] {
  const sources: AptSource[] = [];
  const withoutComments = text.replaceAll(/^#.*\n?/gm, '');
  for (const stanza of withoutComments.split(/\n\s*\n/)) {
    const field = (name: string): string =>
      new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t]+.*)*)`, 'im').exec(stanza)?.[1] ?? '';
    const isWanted = words(field('Types')).includes('deb') && !/^(no|false)$/i.test(field('Enabled').trim());
    if (!isWanted) continue;
    const signedBy = field('Signed-By').trim();
    const options: string[] = [];
    // A key may also stand in the stanza itself; apt then trusts what the system trusts anyway.
    if (signedBy.startsWith('/')) options.push(`signed-by=${signedBy}`);
    if (/^yes$/i.test(field('Trusted').trim())) options.push('trusted=yes');
    for (const uri of words(field('URIs'))) {
      const [suites, components] = [words(field('Suites')), words(field('Components'))];
      sources.push({ uri, suites, components, options });
    }
  }
  return sources;
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
