/** Changes by what they are of, the latest of each alone, in order. */
export type Feed<T> = {
  /** Where the last change stands. */
  readonly end: number;
  /** Takes a change; positions never fall. What was told of the same thing is told no more. Amortised O(1). */
  add(position: number, key: string, change: T): void;
  /**
   * Some `most` changes behind a position, oldest first; those of one position come together. Undefined when some
   * behind it are not known any more.
   */
  after(position: number, most: number): Page<T> | undefined;
  /** Forgets everything: what is known begins behind this position. */
  restart(position: number): void;
};

export type Page<T> = { readonly changes: readonly T[]; readonly end: number };

type Entry<T> = { readonly position: number; readonly key: string; readonly change: T };

/** A feed that keeps the latest changes of so many things: that bounds its memory, however many read it. */
export function createFeed<T>(kept: number): Feed<T> {
  let entries: Entry<T>[] = [];
  const latest = new Map<string, Entry<T>>();
  let begin = 0;
  let end = 0;

  const isLatest = (entry: Entry<T>) => latest.get(entry.key) === entry;

  function add(position: number, key: string, change: T): void {
    const entry = { position, key, change };
    entries.push(entry);
    latest.set(key, entry);
    end = position;
    if (entries.length > 2 * kept) compact();
  }

  /** Comes with every `kept`-th change at most. */
  function compact(): void {
    const current = entries.filter(isLatest);
    const dropped = current.slice(0, Math.max(0, current.length - kept));
    for (const { key } of dropped) latest.delete(key);
    begin = dropped.at(-1)?.position ?? begin;
    entries = current.slice(dropped.length);
  }

  function after(position: number, most: number): Page<T> | undefined {
    if (position < begin) return undefined;
    // Of another replica, which was further: what is behind that comes here too.
    if (position >= end) return { changes: [], end: position };
    const changes: T[] = [];
    let told = position;
    for (let place = firstBehind(entries, position); place < entries.length; place += 1) {
      const entry = entries[place];
      if (entry === undefined || !isLatest(entry)) continue;
      if (changes.length >= most && entry.position !== told) return { changes, end: told };
      changes.push(entry.change);
      told = entry.position;
    }
    return { changes, end };
  }

  function restart(position: number): void {
    entries = [];
    latest.clear();
    begin = position;
    end = position;
  }

  return {
    get end() {
      return end;
    },
    add,
    after,
    restart,
  };
}

function firstBehind(entries: readonly { readonly position: number }[], position: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.position ?? 0) > position) high = middle;
    else low = middle + 1;
  }
  return low;
}
