/** Remembers the last `size` to `2 × size` keys with a value each; older ones are forgotten. */
export type Recent<V> = { get(key: string): V | undefined; set(key: string, value: V): void };

export function createRecent<V>(size: number): Recent<V> {
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  return {
    get: (key) => young.get(key) ?? old.get(key),
    set(key, value) {
      young.set(key, value);
      if (young.size < size) return;
      old = young;
      young = new Map();
    },
  };
}
