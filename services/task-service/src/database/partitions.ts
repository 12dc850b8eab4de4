const MONTHS_AHEAD = 3;

/**
 * Makes sure `task_events` has partitions for this month and the next three. The key is the task's UUIDv7, whose
 * first 48 bits are its creation time in milliseconds (RFC 9562, 5.7). Safe to run twice and by several replicas.
 */
export async function ensurePartitions(
  run: (statement: string) => Promise<unknown>,
  now: Date,
): Promise<void> {
  const year = now.getUTCFullYear();
  for (let month = now.getUTCMonth(); month <= now.getUTCMonth() + MONTHS_AHEAD; month++) {
    const from = new Date(Date.UTC(year, month));
    const bounds = `FROM ('${lowest(from)}') TO ('${lowest(new Date(Date.UTC(year, month + 1)))}')`;
    const name = `task_events_${from.toISOString().slice(0, 7).replace('-', '_')}`;
    await run(`CREATE TABLE IF NOT EXISTS ${name} PARTITION OF task_events FOR VALUES ${bounds}`);
  }
}

/** The lowest UUID whose first 48 bits are this time. */
function lowest(time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
