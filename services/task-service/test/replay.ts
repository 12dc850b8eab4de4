import { expect } from '@jest/globals';
import { createPool } from '../src/database/database.js';
import { sha256 } from '../src/tasks/task.events.js';
import { replay, type Changes } from '../src/tasks/task.fold.js';
import { findEvents, findTask } from '../src/tasks/task.reader.store.js';

type Stored = {
  readonly changes: Changes;
  readonly inputSha256?: string;
  readonly contextSha256?: string;
  readonly resultSha256?: string;
};

/** Replays every task of a database from its events and compares it with its row; says how many there were. */
export async function expectEveryTaskToReplay(databaseUrl: string): Promise<number> {
  const pool = createPool({ url: databaseUrl, size: 4, onError: () => undefined });
  try {
    const { rows } = await pool.query<{ id: string }>('SELECT id FROM tasks');
    for (const { id } of rows) {
      const events = await findEvents(pool, id, 0, 10_000);
      const task = await findTask(pool, id);
      if (task === undefined) throw new Error(`task ${id} vanished`);
      const {
        input,
        context,
        result,
        progress: _,
        dueAt: _due,
        offerTries: _tries,
        offerAcceptedAt: _at,
        ...row
      } = task;
      expect(events.map(({ version }) => version)).toEqual(events.map((_event, index) => index + 1));
      expect(
        replay(events.map(({ version, at, data }) => ({ version, at, changes: data.changes as Changes }))),
      ).toEqual(row);
      const stored = events.map(({ data }) => data as unknown as Stored);
      expect(stored[0]?.inputSha256).toBe(sha256(JSON.stringify(input)));
      expect(stored[0]?.contextSha256).toBe(sha256(JSON.stringify(context)));
      const hashed = stored.find(({ resultSha256 }) => resultSha256 !== undefined)?.resultSha256;
      expect(hashed).toBe(task.status === 'completed' ? sha256(JSON.stringify(result)) : undefined);
    }
    return rows.length;
  } finally {
    await pool.end();
  }
}
