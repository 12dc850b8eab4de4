import type { MigrationInterface, QueryRunner } from 'typeorm';
import { buildIndex, dropIndex } from '../concurrently.js';

// A plain task enters six secondary indexes in its life: backlog, due, and these four. Each of its four changes is a new
// entry in every index whose condition holds. Measured in Postgres alone, batches of 65: 30 µs of CPU and 2 KiB of log for
// a task. With the indexes of type and creator for ended tasks alone it would be half of that, but a list of either would
// then be looked for among all unfinished ones, however many wait.
const INDEXES = [
  // Lists of a status; of a priority; in order of priority.
  ['tasks_by_status', 'tasks (status, priority, id)'],
  ['tasks_by_type', 'tasks (type, status, id)'],
  ['tasks_by_creator', 'tasks (created_by, status, id)'],
  // Lists of an agent, and what it holds (`HELD`): the agent of a task that is held is its last one.
  ['tasks_by_agent', 'tasks (last_agent_id, status COLLATE "C", id) WHERE last_agent_id IS NOT NULL'],
] as const;

/** What they stand in for. */
const REPLACED = [
  ['tasks_held', `tasks (assigned_to) WHERE status IN ('assigned','in_progress')`],
  ['tasks_failed', `tasks (id) WHERE status = 'failed'`],
] as const;

// The tags of tasks that have any; a task without costs one comparison. Kept by the database itself, so that no way a
// row comes, changes or goes can forget it.
const TAGS = [
  `CREATE TABLE IF NOT EXISTS task_tags (tag text NOT NULL, task_id uuid NOT NULL, PRIMARY KEY (tag, task_id))`,
  `CREATE OR REPLACE FUNCTION task_tags_follow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'INSERT' THEN
        DELETE FROM task_tags g USING json_array_elements_text(OLD.tags) AS o(tag)
          WHERE g.tag = o.tag AND g.task_id = OLD.id;
      END IF;
      IF TG_OP <> 'DELETE' THEN
        INSERT INTO task_tags SELECT DISTINCT n.tag, NEW.id FROM json_array_elements_text(NEW.tags) AS n(tag);
      END IF;
      RETURN NULL;
    END $$`,
  `CREATE OR REPLACE TRIGGER task_tags_insert AFTER INSERT ON tasks FOR EACH ROW
    WHEN (NEW.tags::text <> '[]') EXECUTE FUNCTION task_tags_follow()`,
  `CREATE OR REPLACE TRIGGER task_tags_update AFTER UPDATE OF tags ON tasks FOR EACH ROW
    WHEN (NEW.tags::text <> OLD.tags::text) EXECUTE FUNCTION task_tags_follow()`,
  `CREATE OR REPLACE TRIGGER task_tags_delete AFTER DELETE ON tasks FOR EACH ROW
    WHEN (OLD.tags::text <> '[]') EXECUTE FUNCTION task_tags_follow()`,
  // What came before the triggers. Replicas of the version before create tasks meanwhile, but never change their tags.
  `INSERT INTO task_tags SELECT DISTINCT n.tag, t.id FROM tasks t, json_array_elements_text(t.tags) AS n(tag)
    WHERE t.tags::text <> '[]' ON CONFLICT DO NOTHING`,
];

const NO_TAGS = [
  ...['insert', 'update', 'delete'].map((event) => `DROP TRIGGER IF EXISTS task_tags_${event} ON tasks`),
  `DROP FUNCTION IF EXISTS task_tags_follow()`,
  `DROP TABLE IF EXISTS task_tags`,
];

/**
 * What lists of tasks are read along. No transaction: replicas of the version before write and read tasks while the
 * indexes are built. Cut off in the middle it is run again from its start.
 */
export class Lists1764100000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    for (const [name, definition] of INDEXES) await buildIndex(runner, name, definition);
    for (const statement of TAGS) await runner.query(statement);
    for (const [name] of REPLACED) await dropIndex(runner, name);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [name, definition] of REPLACED) await buildIndex(runner, name, definition);
    for (const statement of NO_TAGS) await runner.query(statement);
    for (const [name] of INDEXES) await dropIndex(runner, name);
  }
}
