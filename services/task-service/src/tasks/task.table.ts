import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { CHANGING, DESCRIBING, FIXED, type Column } from './task.columns.js';

const TYPES = {
  uuid: 'uuid',
  text: 'text',
  int: 'int',
  bigint: 'bigint',
  bool: 'boolean',
  float8: 'double precision',
  json: 'json',
  ms: 'timestamptz',
} as const;

const LENGTHS: Readonly<Record<string, number>> = {
  title: 255,
  status: 20,
  assigned_to: 64,
  last_agent_id: 64,
  pinned_to: 64,
  return_to: 64,
};

const NULLABLE = new Set([
  'parent_task_id',
  'timeout',
  'queue_timeout',
  'progress_timeout',
  'deadline',
  'traceparent',
  'status_reason',
  'assigned_to',
  'holder_epoch',
  'last_agent_id',
  'first_queued_at',
  'queued_at',
  'available_at',
  'assigned_at',
  'started_at',
  'completed_at',
  'actual_duration',
  'estimated_duration',
  'queue_key',
  'backlog_class',
  'awaited_children',
  'pinned_to',
  'pinned_until',
  'return_to',
  'budget',
  'error',
  'result',
  'due_at',
  'offer_accepted_at',
]);

/** Columns younger than the table, which replicas of earlier versions leave out. */
const DEFAULTS: Readonly<Record<string, string>> = { delegation_chain: `'[]'` };

function toColumn(name: string, type: Column<never>['type']): EntitySchemaColumnOptions {
  const length = LENGTHS[name];
  const value = DEFAULTS[name];
  return {
    ...(length === undefined ? { type: TYPES[type] } : { type: 'varchar', length }),
    nullable: NULLABLE.has(name),
    ...(name === 'id' ? { primary: true } : {}),
    ...(value === undefined ? {} : { default: () => value }),
  };
}

/**
 * `tasks` as TypeORM knows it, made from the columns the write path writes: a test holds it against what the
 * migrations make. Its rows are read and written by the statements of the stores.
 */
export const TaskTable = new EntitySchema({
  name: 'Task',
  tableName: 'tasks',
  columns: Object.fromEntries([
    ...[...FIXED, ...CHANGING, ...DESCRIBING].map(({ name, type }) => [name, toColumn(name, type)] as const),
    ['result', toColumn('result', 'json')] as const,
  ]),
});
