import { nearest } from '@baton/contracts';
import { knownNames } from './known-names.js';

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
  const meant = nearest(name, known);
  return meant === undefined ? 'unset it (docs/configuration.md lists them all)' : `did you mean ${meant}?`;
}
