/** The part of a V8 CPU profile that is read here. */
export type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

/** Self time in microseconds by name, the longest first. */
export type SelfTimes = readonly (readonly [name: string, microseconds: number])[];

/** Self time of each function; idle time is left out. `checkout` is cut off file names. */
export function selfTimeByFunction(profile: CpuProfile, checkout: string): SelfTimes {
  return fold(profile, ({ functionName, url, lineNumber }) => {
    const name = functionName === '' ? '(anonymous)' : functionName;
    return url === '' ? name : `${name}  ${shortPath(url, checkout)}:${lineNumber + 1}`;
  });
}

/** Self time of each package; idle time is left out. */
export function selfTimeByPackage(profile: CpuProfile, checkout: string): SelfTimes {
  return fold(profile, ({ functionName, url }) => {
    if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
    const path = shortPath(url, checkout);
    const [first = '', second = ''] = path.split('/');
    if (path.startsWith('node:')) return path.replace(/^node:(internal\/)?/, 'node:').split('/')[0] ?? path;
    return first.startsWith('@') || ['packages', 'services', 'bench'].includes(first)
      ? `${first}/${second}`
      : first;
  });
}

function fold(
  { nodes, samples, timeDeltas }: CpuProfile,
  nameOf: (frame: CpuProfile['nodes'][number]['callFrame']) => string,
): SelfTimes {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const totals = new Map<string, number>();
  samples.forEach((id, index) => {
    const name = names.get(id) ?? '(unknown)';
    // The time up to the next sample belongs to this one.
    totals.set(name, (totals.get(name) ?? 0) + (timeDeltas[index + 1] ?? 0));
  });
  totals.delete('(idle)');
  return [...totals].toSorted(([, a], [, b]) => b - a);
}

function shortPath(url: string, checkout: string): string {
  const path = url.startsWith('file://') ? decodeURIComponent(new URL(url).pathname) : url;
  return path.replace(`${checkout}/`, '').replace(/^.*node_modules\//, '');
}
