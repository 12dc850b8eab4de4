/** Runs a statement and gives its rows. */
type Run = (statement: string) => Promise<readonly unknown[]>;

/** The tables whose rows go with their task: the column that names it, and their primary key. */
export const ARCHIVED_TABLES = [
  { table: 'tasks', task: 'id', key: 'id' },
  { table: 'task_events', task: 'task_id', key: 'task_id, version' },
  { table: 'task_dependencies', task: 'task_id', key: 'task_id, depends_on' },
  { table: 'task_progress', task: 'task_id', key: 'task_id' },
  { table: 'task_usage', task: 'task_id', key: 'task_id, attempt' },
  { table: 'task_logs', task: 'task_id', key: 'task_id, number' },
  { table: 'task_artifacts', task: 'task_id', key: 'task_id, name' },
  { table: 'task_checkpoints', task: 'task_id', key: 'task_id' },
  { table: 'deleted_usage', task: 'task_id', key: 'task_id' },
] as const;

export type ArchivedTable = (typeof ARCHIVED_TABLES)[number]['table'];

/**
 * The rows of a table wherever they are, as a relation of the columns named. Both parts are read in one snapshot, so
 * what moves between them meanwhile is seen once.
 */
export function everywhere(table: ArchivedTable, columns: readonly string[]): string {
  const names = columns.join(', ');
  return `(SELECT ${names} FROM ${table} UNION ALL SELECT ${names} FROM archived_${table})`;
}

/** The columns of a table as the database has them now. */
export function columnsOf(table: ArchivedTable): string {
  return `SELECT quote_ident(attname) AS name FROM pg_attribute
    WHERE attrelid = '${table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`;
}

/**
 * Makes the archive's tables (`archived_tasks` and so on, by month) and gives them each column that theirs has and
 * they do not: a migration that adds a column need not think of the archive. A column that is NOT NULL without a
 * default is added as nullable: what was archived before has no value for it. Safe to run twice; run by whoever
 * migrates, under its lock.
 */
export async function ensureArchive(run: Run): Promise<void> {
  for (const { table, key } of ARCHIVED_TABLES) {
    await run(`CREATE TABLE IF NOT EXISTS archived_${table} (month date NOT NULL, LIKE ${table},
      PRIMARY KEY (${key}, month)) PARTITION BY RANGE (month)`);
    for (const column of (await run(missingColumns(table))) as { definition: string }[]) {
      await run(`ALTER TABLE archived_${table} ADD COLUMN IF NOT EXISTS ${column.definition}`);
    }
  }
  await run('CREATE INDEX IF NOT EXISTS archived_tasks_tree ON archived_tasks (root_task_id, id)');
  await run(
    'CREATE INDEX IF NOT EXISTS archived_task_dependencies_of ON archived_task_dependencies (depends_on)',
  );
  await run('CREATE INDEX IF NOT EXISTS archived_task_events_by_commit ON archived_task_events (xid)');
  await ensureMonths(run);
}

/**
 * Makes sure that the archive has partitions for this month of the database's clock and the next, also of a table that
 * a migration brought in the middle of a month.
 */
export async function ensureMonths(run: Run): Promise<void> {
  for (const month of [thisMonth(0), thisMonth(1)]) {
    await run(`DO $$ DECLARE month date := ${month}; BEGIN
      IF EXISTS (SELECT FROM archive_months a WHERE a.month = ${month})
        AND ${ARCHIVED_TABLES.map(({ table }) => `to_regclass(${nameOf(table)}) IS NOT NULL`).join(' AND ')}
        THEN RETURN; END IF;
      PERFORM pg_advisory_xact_lock(hashtext('task-service partitions'));
      ${ARCHIVED_TABLES.map(({ table }) => partitionOf(table)).join('\n')}
      INSERT INTO archive_months (month) VALUES (month) ON CONFLICT DO NOTHING;
    END $$`);
  }
}

/** The name of a month's partition, the month given as `YYYY-MM-DD`. */
export function partitionName(table: ArchivedTable, month: string): string {
  return `archived_${table}_${month.slice(0, 7).replace('-', '_')}`;
}

function thisMonth(ahead: number): string {
  return `(date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + interval '${ahead} months')::date`;
}

/** SQL of `partitionName` for the variable `month`. */
function nameOf(table: ArchivedTable): string {
  return `'archived_${table}_' || to_char(month, 'YYYY_MM')`;
}

/** Attached, not made in place: readers of the other months are not held up. */
function partitionOf(table: ArchivedTable): string {
  const name = nameOf(table);
  return `IF to_regclass(${name}) IS NULL THEN
      EXECUTE format('CREATE TABLE %I (LIKE archived_${table} INCLUDING ALL)', ${name});
      EXECUTE format('ALTER TABLE archived_${table} ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        ${name}, month, (month + interval '1 month')::date);
    END IF;`;
}

function missingColumns(table: ArchivedTable): string {
  return `SELECT concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
      'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),
      CASE WHEN a.attnotnull AND d.adbin IS NOT NULL THEN 'NOT NULL' END) AS definition
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = '${table}'::regclass AND a.attnum > 0 AND NOT a.attisdropped
      AND NOT EXISTS (SELECT FROM pg_attribute b WHERE b.attrelid = 'archived_${table}'::regclass
        AND b.attname = a.attname AND NOT b.attisdropped)`;
}
