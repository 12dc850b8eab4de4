import { DDSketch } from '@datadog/sketches-js';

/** What is measured of each completed task, in seconds; the order is that of the stored form. */
export const MEASURES = ['duration', 'run', 'wait', 'endToEnd'] as const;
export type Measure = (typeof MEASURES)[number];

/** Values by bin of a DDSketch: every value of a bin is within 1 % of what the bin stands for. */
export type Bins = Map<number, number>;
export type Sketches = Readonly<Record<Measure, Bins>>;

const RELATIVE_ACCURACY = 0.01;
/** Shorter ones count as one microsecond: the database knows no finer times. */
const SHORTEST_SECONDS = 1e-6;
/** Bytes of the largest integer a number holds exactly, seven bits in each. */
const LONGEST_VARINT = 8;
const { mapping } = new DDSketch({ relativeAccuracy: RELATIVE_ACCURACY });

export function emptySketches(): Sketches {
  return { duration: new Map(), run: new Map(), wait: new Map(), endToEnd: new Map() };
}

/** Adds one value, in seconds. */
export function addValue(bins: Bins, seconds: number): void {
  addTo(bins, mapping.key(Math.max(seconds, SHORTEST_SECONDS)), 1);
}

/** The value below which the share `quantile` (0 to 1) lies, within 1 %; null of nothing. */
export function quantileOf(bins: Bins, quantile: number): number | null {
  if (bins.size === 0) return null;
  const sketch = new DDSketch({ relativeAccuracy: RELATIVE_ACCURACY });
  for (const [bin, count] of bins) {
    sketch.store.add(bin, count);
    sketch.count += count;
  }
  return sketch.getValueAtQuantile(quantile);
}

export function mergeInto(target: Sketches, added: Sketches): void {
  for (const measure of MEASURES)
    for (const [bin, count] of added[measure]) addTo(target[measure], bin, count);
}

/**
 * The stored form: for each measure the number of bins, then of each the distance to the one before and the count, all as
 * varints. Forms written one behind the other read as their sum.
 */
export function encodeSketches(sketches: Sketches): Buffer {
  const measured = MEASURES.map((measure) => sketches[measure]);
  const room = measured.reduce((sum, bins) => sum + LONGEST_VARINT * (1 + 2 * bins.size), 0);
  const bytes = Buffer.allocUnsafe(room);
  let length = 0;
  const write = (value: number): void => {
    let left = value;
    for (; left >= 128; left = Math.floor(left / 128)) bytes[length++] = (left % 128) | 128;
    bytes[length++] = left;
  };
  for (const bins of measured) {
    write(bins.size);
    let before = 0;
    for (const bin of inOrder(bins)) {
      write(zigzag(bin - before));
      write(bins.get(bin) ?? 0);
      before = bin;
    }
  }
  return bytes.subarray(0, length);
}

/** Adds everything that was stored to `target`. */
export function decodeInto(target: Sketches, stored: Uint8Array): void {
  let offset = 0;
  const read = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = stored[offset] ?? 0;
      offset += 1;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (offset < stored.length) {
    for (const measure of MEASURES) {
      let bin = 0;
      for (let left = read(); left > 0; left -= 1) {
        bin += unzigzag(read());
        addTo(target[measure], bin, read());
      }
    }
  }
}

function addTo(bins: Bins, bin: number, count: number): void {
  bins.set(bin, (bins.get(bin) ?? 0) + count);
}

/** As numbers, without a pair for each and without asking an iterator through: this is most of encoding. */
function inOrder(bins: Bins): Float64Array {
  const keys = new Float64Array(bins.size);
  let index = 0;
  for (const bin of bins.keys()) keys[index++] = bin;
  return keys.toSorted();
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);
