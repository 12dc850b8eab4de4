import { expect } from '@jest/globals';
import { auditHistory, type Problem } from '../src/audit/history.service.js';
import { createPool } from '../src/database/database.js';

/** Everything an audit finds in a database, and how many tasks it looked at. */
export async function audit(databaseUrl: string) {
  const pool = createPool({ url: databaseUrl, size: 1, onError: () => undefined });
  try {
    const problems: Problem[] = [];
    const report = await auditHistory({ pool, onProblem: (problem) => void problems.push(problem) });
    return { ...report, problems };
  } finally {
    await pool.end();
  }
}

/** Replays every task of a database from its events and compares it with its row; says how many there were. */
export async function expectEveryTaskToReplay(databaseUrl: string): Promise<number> {
  const { problems, tasks } = await audit(databaseUrl);
  expect(problems).toEqual([]);
  return tasks;
}
