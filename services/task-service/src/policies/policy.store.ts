import type { PolicyView } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';

type PolicyRow = Omit<PolicyView, 'updatedAt'> & { readonly updatedAt: number };

const COLUMNS = `name, version, kind, weights, updated_at AS "updatedAt", updated_by AS "updatedBy"`;

/** The policies somebody put, by name: at most `LIMITS.policies` short rows. */
export async function findPolicies(db: Queryable): Promise<readonly PolicyView[]> {
  const { rows } = await db.query<PolicyRow>({
    name: 'find-policies',
    text: `SELECT ${COLUMNS} FROM policies ORDER BY name COLLATE "C"`,
  });
  return rows.map((row) => ({ ...row, updatedAt: new Date(row.updatedAt).toISOString() }));
}

/** Which of these names somebody put a policy under. */
export async function findNames(db: Queryable, names: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ name: string }>({
    name: 'find-policy-names',
    text: 'SELECT name FROM policies WHERE name = ANY($1::text[])',
    values: [pgArray(names)],
  });
  return new Set(rows.map(({ name }) => name));
}

/** Takes the lock of all changes of policies: they are few, and each looks at all of them. */
export async function lockPolicies(db: Queryable): Promise<void> {
  await db.query('LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE');
}

export async function savePolicy(
  db: Queryable,
  { name, version, kind, weights, updatedBy }: Omit<PolicyView, 'updatedAt'>,
): Promise<void> {
  await db.query(
    `INSERT INTO policies (name, version, kind, weights, updated_at, updated_by)
      VALUES ($1, $2, $3, $4, clock_timestamp(), $5)
      ON CONFLICT (name) DO UPDATE SET version = excluded.version, kind = excluded.kind, weights = excluded.weights,
        updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
    [name, version, kind, JSON.stringify(weights), updatedBy],
  );
}
