const CACHED_MS = 1_000;

/** One read serves the metrics of a scrape, and scrapes that follow each other closely. */
export function cached<T>(read: () => Promise<T>): () => Promise<T> {
  let latest: Promise<T> | undefined;
  let readAt = -Infinity;
  return () => {
    if (latest === undefined || performance.now() - readAt >= CACHED_MS) {
      readAt = performance.now();
      latest = read();
    }
    return latest;
  };
}

/** The first names seen keep a label of their own, so that no counter ever falls while the process lives. */
export function boundedLabels(most: number, other: string): (name: string) => string {
  const own = new Set<string>();
  return (name) => {
    if (own.size < most) own.add(name);
    return own.has(name) ? name : other;
  };
}
