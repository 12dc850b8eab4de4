/** Where figures are kept: `seconds` wide buckets, kept for `keepSeconds`. */
export type Level = { readonly seconds: number; readonly keepSeconds: number };

/** One bucket holds all there ever was; it is never removed. */
const ALL_TIME: Level = { seconds: 0, keepSeconds: Infinity };

/** Finest first. */
export const LEVELS: readonly Level[] = [
  { seconds: 10, keepSeconds: 7_200 },
  { seconds: 60, keepSeconds: 172_800 },
  { seconds: 3_600, keepSeconds: 400 * 86_400 },
  ALL_TIME,
];

/** The finest level's buckets: figures are gathered in them. */
export const FINEST_SECONDS = 10;

/** The beginning of the bucket that holds a moment; both seconds of the epoch. */
export function bucketAt({ seconds }: Level, at: number): number {
  return seconds === 0 ? 0 : at - (at % seconds);
}

/** At most so many buckets are read for a window, about. */
const MOST_BUCKETS = 180;

/** The level that tells about a window best: fine, but not of more buckets than can be read at once. */
export function levelFor(windowSeconds: number | null): Level {
  if (windowSeconds === null) return ALL_TIME;
  const fits = LEVELS.filter(({ seconds }) => seconds > 0).find(
    ({ seconds, keepSeconds }) => windowSeconds <= keepSeconds && windowSeconds / seconds <= MOST_BUCKETS,
  );
  return fits ?? (LEVELS.at(-2) as Level);
}
