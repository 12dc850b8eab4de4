import { OUTCOME_FORGETTING, OUTCOMES_SERVED, type LearnedOutcome, type TaskEvent } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { deleteInChunks } from '../database/forget.js';
import { pgArray } from '../database/pg-array.js';
import type { Lesson } from './outcomes.fold.js';

const HOUR_MS = 3_600_000;

/** Marks events as folded, in one order, and gives those that were not before. Whoever comes second waits for the first. */
export async function markFolded(db: Queryable, events: readonly TaskEvent[]): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ id: string }>({
    name: 'mark-folded',
    text: `INSERT INTO folded_outcomes (hour, task_id, version)
      SELECT * FROM unnest($1::int[], $2::uuid[], $3::int[]) AS u(hour, id, version) ORDER BY hour, id, version
      ON CONFLICT DO NOTHING RETURNING task_id || ':' || version AS id`,
    values: [
      pgArray(events.map(({ time }) => Math.floor(Date.parse(time) / HOUR_MS))),
      pgArray(events.map(({ subject }) => subject)),
      pgArray(events.map(({ taskversion }) => taskversion)),
    ],
  });
  return new Set(rows.map(({ id }) => id));
}

/** Adds lessons, which are in order, to what was learned. */
export async function addLessons(db: Queryable, lessons: readonly Lesson[]): Promise<void> {
  await db.query({
    name: 'add-lessons',
    text: `INSERT INTO agent_outcomes AS o (agent_id, type, capability, events, ${SUMS.join(', ')}, updated_at)
      SELECT *, clock_timestamp() FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::float8[], $6::float8[],
        $7::float8[], $8::float8[], $9::float8[])
      ON CONFLICT (agent_id, type, capability) DO UPDATE SET events = o.events + excluded.events,
        ${SUMS.map((sum) => `${sum} = o.${sum} * power(${OUTCOME_FORGETTING}, excluded.events) + excluded.${sum}`).join(', ')},
        updated_at = excluded.updated_at`,
    values: [
      pgArray(lessons.map(({ agentId }) => agentId)),
      pgArray(lessons.map(({ type }) => type)),
      pgArray(lessons.map(({ capability }) => capability)),
      pgArray(lessons.map(({ events }) => events)),
      pgArray(lessons.map(({ succeeded }) => succeeded)),
      pgArray(lessons.map(({ failed }) => failed)),
      pgArray(lessons.map(({ durations }) => durations.count)),
      pgArray(lessons.map(({ durations }) => durations.sum)),
      pgArray(lessons.map(({ durations }) => durations.squares)),
    ],
  });
}

const SUMS = ['succeeded', 'failed', 'durations', 'duration_sum', 'duration_squares'];

/** What was learned of each of these agents, by the types it worked on last: a short range for each. */
export async function findOutcomes(
  db: Queryable,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, LearnedOutcome[]>> {
  const { rows } = await db.query<LearnedRow>({
    name: 'find-outcomes',
    text: `SELECT o.* FROM unnest($1::text[]) AS u(id) CROSS JOIN LATERAL (
        SELECT agent_id, type, capability, ${SUMS.join(', ')} FROM agent_outcomes WHERE agent_id = u.id
        ORDER BY updated_at DESC, type, capability LIMIT ${OUTCOMES_SERVED}) o`,
    values: [pgArray(agentIds)],
  });
  const byAgent = new Map<string, LearnedOutcome[]>();
  for (const { agent_id: agentId, ...row } of rows) {
    const { type, capability, succeeded, failed, durations: count } = row;
    const durations = { count, sum: row.duration_sum, squares: row.duration_squares };
    const known = byAgent.get(agentId) ?? [];
    known.push({ type, capability, succeeded, failed, durations });
    byAgent.set(agentId, known);
  }
  return byAgent;
}

type LearnedRow = {
  readonly agent_id: string;
  readonly type: string;
  readonly capability: string;
  readonly succeeded: number;
  readonly failed: number;
  readonly durations: number;
  readonly duration_sum: number;
  readonly duration_squares: number;
};

/** Forgets marks of events three hours old: the stream tells an event again for one. */
export function forgetFolded(db: Queryable, signal: AbortSignal): Promise<number> {
  const text = `DELETE FROM folded_outcomes WHERE (hour, task_id, version) IN (
      SELECT hour, task_id, version FROM folded_outcomes
      WHERE hour < (SELECT floor(extract(epoch FROM clock_timestamp()) / 3600)::int - 3)
      ORDER BY hour, task_id, version LIMIT $1 FOR UPDATE SKIP LOCKED)`;
  return deleteInChunks(db, { text }, signal);
}

/** Forgets what was learned of work an agent has not ended any of for 90 days. */
export function forgetOldOutcomes(db: Queryable, signal: AbortSignal): Promise<number> {
  const text = `DELETE FROM agent_outcomes WHERE (agent_id, type, capability) IN (
      SELECT agent_id, type, capability FROM agent_outcomes
      WHERE updated_at < (SELECT clock_timestamp() - interval '90 days')
      ORDER BY agent_id, type, capability LIMIT $1 FOR UPDATE SKIP LOCKED)`;
  return deleteInChunks(db, { text }, signal);
}
