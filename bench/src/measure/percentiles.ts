/** The value at each of the shares (0..1), by nearest rank; NaN of nothing. */
export function percentiles<Name extends string>(
  values: Iterable<number>,
  shares: Readonly<Record<Name, number>>,
): Record<Name, number> {
  const sorted = Float64Array.from(values).toSorted();
  const at = (share: number): number => {
    const rank = Math.max(1, Math.ceil(share * sorted.length));
    return sorted[rank - 1] ?? Number.NaN;
  };
  return Object.fromEntries(
    Object.entries<number>(shares).map(([name, share]) => [name, at(share)]),
  ) as Record<Name, number>;
}
