import { knownNames } from './known-names.js';

/** At most so many slips of the keyboard make a name another one. */
const furthest = 3;

/**
 * A problem for each `BATON_*` variable that no part of Baton reads: a misspelt setting that is silently ignored is
 * found out too late. Variables of other parts are fine, since one environment may serve them all.
 */
export function problemsOfUnknownNames(
  environment: NodeJS.ProcessEnv,
  own: readonly string[],
): readonly string[] {
  const known = new Set([...own, ...knownNames]);
  return Object.entries(environment)
    .filter(([name, value]) => name.startsWith('BATON_') && !known.has(name) && isMeantForBaton(name, value))
    .map(([name]) => `${name}: no part of Baton knows it; ${advice(name, [...known])}`);
}

/**
 * Not what tests hand to their own processes, and not what Kubernetes and Docker set for a service or a link whose
 * name begins with "baton-".
 */
function isMeantForBaton(name: string, value: string | undefined): boolean {
  if (value === undefined || value === '' || name.startsWith('BATON_TEST_')) return false;
  return (
    !/_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(name) &&
    !/^(tcp|udp|sctp):\/\//.test(value)
  );
}

function advice(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined
    ? 'unset it (docs/configuration.md lists them all)'
    : `did you mean ${nearest}?`;
}

/** The known name that is fewest slips away; undefined when none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, slips: slipsBetween(name, candidate) }))
    .toSorted((one, other) => one.slips - other.slips);
  const [best] = ranked;
  return best !== undefined && best.slips <= furthest ? best.candidate : undefined;
}

/** Damerau-Levenshtein: letters added, left out, replaced, or swapped with their neighbour. */
function slipsBetween(one: string, other: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const replaced = at(last, j - 1) + (one[i - 1] === other[j - 1] ? 0 : 1);
      const isSwap = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swapped = isSwap ? at(beforeLast, j - 2) + 1 : Infinity;
      row.push(Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced, swapped));
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, other.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
