/** Shortens to at most `characters`, never through the middle of a character. */
export function clip(text: string, characters = 200): string {
  if (text.length <= characters) return text;
  const whole = Array.from(text.slice(0, characters * 2));
  return `${whole.slice(0, characters - 1).join('')}…`;
}

/** Whole numbers with thousands apart: 12,345. */
export function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 file`, `2 files`. */
export function plural(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Bytes in the largest binary unit that leaves at least one: 1.5 MiB. */
export function bytes(value: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), units.length - 1);
  return power === 0 ? plural(value, 'byte') : `${(value / 1024 ** power).toFixed(1)} ${units[power] ?? ''}`;
}

/** Orders by `figure`, the greatest first; equal ones by `name`, so that the same input gives the same order. */
export function descending<T>(figure: (item: T) => number, name: (item: T) => string) {
  return (one: T, other: T): number => {
    const difference = figure(other) - figure(one);
    if (difference !== 0) return difference;
    return name(one) < name(other) ? -1 : 1;
  };
}
