import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS = [
  `CREATE TABLE tasks (
    id uuid PRIMARY KEY,
    title varchar(255) NOT NULL,
    description text NOT NULL,
    type text NOT NULL,
    tags json NOT NULL,
    metadata json NOT NULL,
    status varchar(20) NOT NULL,
    status_reason text,
    priority int NOT NULL,
    version int NOT NULL,
    created_by text NOT NULL,
    assigned_to varchar(64),
    holder_epoch int,
    last_agent_id varchar(64),
    parent_task_id uuid,
    root_task_id uuid NOT NULL,
    depth int NOT NULL,
    detached boolean NOT NULL,
    required_capabilities json NOT NULL,
    preferred_capabilities json NOT NULL,
    criteria json NOT NULL,
    excluded_agents json NOT NULL,
    skipped_agents json NOT NULL,
    needs_class text NOT NULL,
    attempt int NOT NULL,
    retry_count int NOT NULL,
    max_retries int NOT NULL,
    lost_count int NOT NULL,
    handover_count int NOT NULL,
    retry_policy json NOT NULL,
    timeout double precision,
    start_timeout double precision NOT NULL,
    estimated_duration double precision,
    actual_duration double precision,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    first_queued_at timestamptz,
    queued_at timestamptz,
    available_at timestamptz,
    assigned_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    deadline timestamptz,
    queue_key bigint,
    backlog_class text,
    due_at timestamptz,
    offer_tries int NOT NULL,
    offer_accepted_at timestamptz,
    traceparent text,
    input json NOT NULL,
    context json NOT NULL,
    result json,
    error json,
    CONSTRAINT tasks_status CHECK (status IN
      ('created','queued','assigned','in_progress','blocked','completed','failed','cancelled')),
    CONSTRAINT tasks_priority CHECK (priority BETWEEN 1 AND 5),
    CONSTRAINT tasks_counts CHECK (version >= 1 AND attempt >= 0 AND retry_count >= 0 AND lost_count >= 0),
    CONSTRAINT tasks_held CHECK ((status IN ('assigned','in_progress')) = (assigned_to IS NOT NULL)),
    CONSTRAINT tasks_assigned CHECK (assigned_to IS NULL OR
      (assigned_at IS NOT NULL AND last_agent_id = assigned_to AND attempt > 0)),
    CONSTRAINT tasks_started CHECK (status <> 'in_progress' OR
      (started_at IS NOT NULL AND holder_epoch IS NOT NULL)),
    CONSTRAINT tasks_ended CHECK ((status IN ('completed','failed','cancelled')) = (completed_at IS NOT NULL)),
    CONSTRAINT tasks_queued CHECK (status <> 'queued' OR
      (queue_key IS NOT NULL AND first_queued_at IS NOT NULL AND (backlog_class IS NULL) = (available_at IS NOT NULL))),
    CONSTRAINT tasks_backlog CHECK (backlog_class IS NULL OR status = 'queued')
  )`,
  // Every change of status is a new entry in each index whose condition still holds: a plain task enters the
  // primary key at each of its four changes, tasks_backlog once, tasks_held twice, tasks_due once.
  `CREATE INDEX tasks_backlog ON tasks (backlog_class, queue_key, id)
    WHERE status = 'queued' AND backlog_class IS NOT NULL`,
  // Capacity under lock; what an agent holds; assigned tasks of agents that are not online.
  `CREATE INDEX tasks_held ON tasks (assigned_to) WHERE status IN ('assigned','in_progress')`,
  `CREATE INDEX tasks_due ON tasks (due_at) WHERE due_at IS NOT NULL`,
  // Lists by rare states, newest first, and the reconciler's look at blocked tasks.
  `CREATE INDEX tasks_blocked ON tasks (id) WHERE status = 'blocked'`,
  `CREATE INDEX tasks_failed ON tasks (id) WHERE status = 'failed'`,
  `CREATE INDEX tasks_cancelled ON tasks (id) WHERE status = 'cancelled'`,
  `CREATE INDEX tasks_children ON tasks (parent_task_id, id) WHERE parent_task_id IS NOT NULL`,
  `CREATE INDEX tasks_tree ON tasks (root_task_id, id) WHERE parent_task_id IS NOT NULL`,
  `CREATE TABLE task_dependencies (
    task_id uuid NOT NULL,
    depends_on uuid NOT NULL,
    policy text NOT NULL CHECK (policy = 'fail'),
    name text,
    PRIMARY KEY (task_id, depends_on),
    CHECK (task_id <> depends_on)
  )`,
  `CREATE INDEX task_dependencies_of ON task_dependencies (depends_on, task_id)`,
  `CREATE TABLE task_events (
    task_id uuid NOT NULL,
    version int NOT NULL,
    event_type varchar(50) NOT NULL,
    event_data json NOT NULL,
    actor text NOT NULL,
    reason text,
    attempt int NOT NULL,
    command_id uuid,
    traceparent text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (task_id, version)
  ) PARTITION BY RANGE (task_id)`,
  `CREATE TABLE task_events_default PARTITION OF task_events DEFAULT`,
  `CREATE TABLE task_progress (
    task_id uuid PRIMARY KEY,
    attempt int NOT NULL,
    percent double precision NOT NULL,
    message text,
    updated_at timestamptz NOT NULL
  )`,
  `CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    messages json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    claimed_until timestamptz
  )`,
  // Rows live for milliseconds: compressing them would cost more than writing them.
  `ALTER TABLE outbox ALTER COLUMN messages SET STORAGE EXTERNAL`,
  `ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000)`,
  `CREATE INDEX outbox_age ON outbox (created_at)`,
  `CREATE TABLE idempotency_keys (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    outcome json,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (scope, key)
  )`,
  `CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at)`,
  `CREATE TABLE agents (
    id varchar(64) PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    capabilities json NOT NULL,
    max_concurrent int NOT NULL CHECK (max_concurrent >= 1),
    prefetch int NOT NULL CHECK (prefetch BETWEEN 0 AND 2),
    labels json NOT NULL,
    heartbeat_ms int NOT NULL,
    expire_ms int NOT NULL,
    status varchar(20) NOT NULL CHECK (status IN ('online','draining','offline')),
    epoch int NOT NULL CHECK (epoch >= 0),
    last_seen_at timestamptz,
    created_at timestamptz NOT NULL
  )`,
  `CREATE TABLE agent_sessions (
    agent_id varchar(64) NOT NULL,
    instance uuid NOT NULL,
    epoch int NOT NULL,
    started_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (agent_id, instance),
    UNIQUE (agent_id, epoch)
  )`,
  `CREATE TABLE agent_connections (
    from_agent varchar(64) NOT NULL,
    to_agent varchar(64) NOT NULL,
    strength double precision NOT NULL CHECK (strength BETWEEN 0 AND 1),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (from_agent, to_agent),
    CHECK (from_agent <> to_agent)
  )`,
  `CREATE TABLE agent_inbox (
    id uuid PRIMARY KEY,
    agent_id varchar(64) NOT NULL,
    task_id uuid NOT NULL,
    status varchar(20) NOT NULL,
    reason text,
    created_at timestamptz NOT NULL,
    deliver_after timestamptz NOT NULL
  )`,
  `CREATE INDEX agent_inbox_of ON agent_inbox (agent_id, id)`,
  `CREATE INDEX agent_inbox_due ON agent_inbox (deliver_after)`,
  `CREATE TABLE audit_log (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    code text,
    detail json NOT NULL
  )`,
  `CREATE INDEX audit_log_subject ON audit_log (subject, id)`,
  `CREATE TABLE settings (name text PRIMARY KEY, value text NOT NULL)`,
  `INSERT INTO settings VALUES ('cursor_key', replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''))`,
];

const TABLES = [
  'settings',
  'audit_log',
  'agent_inbox',
  'agent_connections',
  'agent_sessions',
  'agents',
  'idempotency_keys',
  'outbox',
  'task_progress',
  'task_events',
  'task_dependencies',
  'tasks',
];

/** Tasks with their history and edges, agents with sessions and connections, outbox, keys, audit. */
export class Foundation1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TABLE IF EXISTS ${table}`);
  }
}
