/**
 * The numbers of agents in the order in which they changed, the latest few. Whoever keeps something worked out from agents
 * reads on from where it was: O(changes since), and nobody needs to be told. What was read last may have been overwritten:
 * then everything must be looked at again.
 */
export type Journal = {
  entries: Int32Array;
  /** How many changes there were ever; the next is written here, modulo the length. */
  end: number;
};

/** A journal without a change. */
export function createJournal(): Journal {
  return { entries: new Int32Array(1_024), end: 0 };
}

/** Whether the changes from `start` on are still written down. */
export function isKept({ entries, end }: Journal, start: number): boolean {
  return end - start <= entries.length;
}
