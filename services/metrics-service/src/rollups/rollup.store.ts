import type { EntityManager } from 'typeorm';
import type { DelegationFigures, DelegationGroup, RecoveryGroup } from '../ingest/task-facts.fold.js';
import { bucketAt, FINEST_SECONDS, LEVELS } from './levels.policy.js';
import { COUNTERS, Gathered, rollUp, type Figures, type Group } from './rollup.fold.js';
import { decodeInto, encodeSketches, mergeInto, MEASURES, type Sketches } from './sketch.js';

/** Adds figures to every row they belong to. Sketches of the same rows are read, merged and written again. */
export async function saveRollups(
  manager: EntityManager,
  gathered: Gathered<Group, Figures>,
  now: number,
): Promise<void> {
  const rows = rollUp(gathered, now);
  if (rows.length === 0) return;
  const keys = [
    rows.map(({ level }) => level),
    rows.map(({ dimensions }) => dimensions),
    rows.map(({ at }) => at),
    rows.map(({ agent }) => agent),
    rows.map(({ type }) => type),
    rows.map(({ priority }) => priority),
  ];
  const measured = rows.flatMap(({ sketches }, index) => (hasValues(sketches) ? [index] : []));
  const stored: readonly { readonly index: number; readonly sketches: Buffer }[] =
    measured.length === 0
      ? []
      : await manager.query(STORED_SKETCHES, [
          ...keys.map((column) => measured.map((index) => column[index])),
          measured,
        ]);
  for (const { index, sketches } of stored) {
    const row = rows[index];
    if (row) decodeInto(row.sketches, sketches);
  }
  await manager.query(SAVE_ROLLUPS, [
    ...keys,
    ...COUNTERS.map((name) => rows.map(({ counts }) => counts[name])),
    rows.map(({ sketches }) => (hasValues(sketches) ? encodeSketches(sketches) : NONE)),
  ]);
}

/** Adds hand-overs. They are rare beside all else: no row is kept for all types or priorities. */
export async function saveDelegations(
  manager: EntityManager,
  gathered: Gathered<DelegationGroup, DelegationFigures>,
  now: number,
): Promise<void> {
  const rows = byLevel(gathered, now, (sum: DelegationFigures, figures) => {
    sum.delegated += figures.delegated;
    sum.completed += figures.completed;
    sum.ended += figures.ended;
    mergeInto(sum.sketches, figures.sketches);
  });
  for (const { level, group, figures } of rows) {
    const key = [level, group.at, group.from, group.to, group.chain, group.type, group.priority];
    const [known] = await manager.query(
      `SELECT sketches FROM metrics.delegations WHERE (level, at, edge_from, edge_to, chain, type, priority) =
        ($1, $2, $3, $4, $5, $6, $7)`,
      key,
    );
    if (known) decodeInto(figures.sketches, known.sketches);
    await manager.query(
      `INSERT INTO metrics.delegations AS d VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (level, at, edge_from, edge_to, chain, type, priority) DO UPDATE SET
          delegated = d.delegated + excluded.delegated, completed = d.completed + excluded.completed,
          ended = d.ended + excluded.ended, sketches = excluded.sketches`,
      [...key, figures.delegated, figures.completed, figures.ended, encodeSketches(figures.sketches)],
    );
  }
}

/** Adds what was taken from agents or given back. */
export async function saveRecoveries(
  manager: EntityManager,
  gathered: Gathered<RecoveryGroup, { count: number }>,
  now: number,
): Promise<void> {
  const rows = byLevel(gathered, now, (sum: { count: number }, { count }) => {
    sum.count += count;
  });
  if (rows.length === 0) return;
  await manager.query(
    `INSERT INTO metrics.recoveries AS r SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[], $4::text[],
        $5::smallint[], $6::text[], $7::bigint[])
      ON CONFLICT (level, at, agent, type, priority, reason) DO UPDATE SET count = r.count + excluded.count`,
    [
      rows.map(({ level }) => level),
      rows.map(({ group }) => group.at),
      rows.map(({ group }) => group.agent),
      rows.map(({ group }) => group.type),
      rows.map(({ group }) => group.priority),
      rows.map(({ group }) => group.reason),
      rows.map(({ figures }) => figures.count),
    ],
  );
}

/** Removes the buckets that have been kept long enough. */
export async function removeOldRollups(manager: EntityManager): Promise<void> {
  for (const { seconds, keepSeconds } of LEVELS.filter((level) => level.keepSeconds < Infinity)) {
    for (const table of ['rollups', 'delegations', 'recoveries']) {
      const dimensions = table === 'rollups' ? 'dimensions = ANY($3) AND' : '$3::int[] IS NOT NULL AND';
      await manager.query(
        `DELETE FROM metrics.${table} WHERE level = $1 AND ${dimensions}
          at < extract(epoch FROM clock_timestamp())::bigint - $2::bigint`,
        [seconds, keepSeconds + seconds, [0, 1, 2, 3, 4, 5, 6, 7]],
      );
    }
  }
}

const NONE = Buffer.alloc(0);

function hasValues(sketches: Sketches): boolean {
  return MEASURES.some((measure) => sketches[measure].size > 0);
}

function byLevel<T extends { readonly at: number }, F>(
  gathered: Gathered<T, F>,
  now: number,
  add: (sum: F, figures: F) => void,
): readonly { readonly level: number; readonly group: T; readonly figures: F }[] {
  return LEVELS.flatMap((level) => {
    const sums = gathered.like();
    for (const { group, figures } of gathered.all()) {
      if (group.at + FINEST_SECONDS < now - level.keepSeconds) continue;
      add(sums.of({ ...group, at: bucketAt(level, group.at) }), figures);
    }
    return sums.all().map((sum) => ({ level: level.seconds, ...sum }));
  });
}

const KEY = 'level, dimensions, at, agent, type, priority';
const KEY_TYPES = ['int', 'smallint', 'bigint', 'text', 'text', 'smallint'];
const array = (type: string, index: number): string => `$${index + 1}::${type}[]`;

const STORED_SKETCHES = `SELECT key.index, row.sketches
  FROM unnest(${[...KEY_TYPES, 'int'].map(array).join(', ')}) AS key (${KEY}, index)
  JOIN metrics.rollups AS row USING (${KEY}) WHERE row.sketches <> ''`;

const SAVE_ROLLUPS = `INSERT INTO metrics.rollups AS row (${KEY}, ${COUNTERS.join(', ')}, sketches)
  SELECT * FROM unnest(${[...KEY_TYPES, ...COUNTERS.map(() => 'bigint'), 'bytea'].map(array).join(', ')})
  ON CONFLICT (${KEY}) DO UPDATE SET
    ${COUNTERS.map((name) => `${name} = row.${name} + excluded.${name}`).join(', ')},
    sketches = CASE excluded.sketches WHEN '' THEN row.sketches ELSE excluded.sketches END`;
