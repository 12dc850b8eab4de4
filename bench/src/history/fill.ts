import pg from 'pg';

/** How many of each there are among the tasks that are made. */
export const VARIETY = { types: 20, agents: 200, creators: 50, tags: 20, childrenOf: 20 } as const;

const CHUNK = 50_000;
const SPREAD_MS = 30 * 86_400_000;

/**
 * Puts finished tasks into the tables, with the four events of each, by statements alone: their creations lie evenly in
 * the last thirty days. One in ten is a child, one in twenty has a tag, three in a hundred did not complete.
 * Resolves to the id of a task that has children.
 */
export async function fillHistory(url: string, tasks: number, say: (line: string) => void): Promise<string> {
  return connected(url, async (client) => {
    const step = Math.max(1, Math.floor(SPREAD_MS / tasks));
    const first = Date.now() - step * tasks;
    for (let from = 0; from < tasks; from += CHUNK) {
      const values = [from, Math.min(from + CHUNK, tasks) - 1, first, step];
      await client.query(TASKS, values);
      await client.query(EVENTS, values);
      if ((from + CHUNK) % 250_000 === 0) say(`  ${from + CHUNK} tasks`);
    }
    // As autovacuum would have done long ago.
    await client.query('VACUUM (ANALYZE) tasks, task_tags, task_events');
    const { rows } = await client.query<{ id: string }>(
      'SELECT parent_task_id AS id FROM tasks WHERE parent_task_id IS NOT NULL LIMIT 1',
    );
    return rows[0]?.id ?? '';
  });
}

/** Puts tasks into the tables that wait for a capability no agent has, all created just now. */
export async function fillBacklog(url: string, tasks: number): Promise<void> {
  await connected(url, async (client) => {
    await client.query(BACKLOG, [0, tasks - 1, Date.now() - tasks, 1]);
    await client.query('VACUUM (ANALYZE) tasks');
  });
}

async function connected<Answer>(url: string, work: (client: pg.Client) => Promise<Answer>): Promise<Answer> {
  const client = new pg.Client({ connectionString: url, application_name: 'bench' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const id = (n: string) =>
  `(lpad(to_hex($3::bigint + (${n}) * $4::bigint), 12, '0') || '70008000' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const pick = (salt: number, of: number) => `abs(hashint4(g::int * 31 + ${salt})::bigint) % ${of}`;
const parent = `g - g % ${VARIETY.childrenOf}`;
const at = `to_timestamp(($3::bigint + g * $4::bigint) / 1000.0)`;

const TASKS = `INSERT INTO tasks (id, title, description, type, tags, metadata, status, status_reason, priority, version,
    created_by, last_agent_id, parent_task_id, root_task_id, depth, detached, required_capabilities,
    preferred_capabilities, criteria, excluded_agents, skipped_agents, needs_class, attempt, retry_count, max_retries,
    lost_count, handover_count, retry_policy, start_timeout, created_at, updated_at, first_queued_at, queued_at,
    assigned_at, started_at, completed_at, actual_duration, queue_key, offer_tries, input, context, result)
  SELECT ${id('g')}, 'Task number ' || g, 'What is to be done, in a sentence or two, as people write it.',
    'history.' || ${pick(1, VARIETY.types)},
    CASE WHEN ${pick(2, 20)} = 0 THEN json_build_array('tag-' || ${pick(3, VARIETY.tags)}) ELSE '[]' END,
    '{"tenant":"acme"}', status, CASE WHEN status = 'failed' THEN 'retries_exhausted' END, 1 + ${pick(4, 5)}, 4,
    'user:' || ${pick(5, VARIETY.creators)}, 'agent-' || ${pick(6, VARIETY.agents)},
    CASE WHEN child THEN ${id(parent)} END, CASE WHEN child THEN ${id(parent)} ELSE ${id('g')} END, child::int, false,
    '[{"name":"no-op"}]', '[]', '{}', '[]', '[]', '0123456789abcdef', 1, 0, 3, 0, 0,
    '{"kind":"exponential","baseSeconds":2,"capSeconds":300,"jitter":true}', 60, at, at + interval '3 seconds', at, at,
    at + interval '1 second', at + interval '2 seconds', at + interval '3 seconds', 2, $3::bigint + g, 0,
    '{"question":"what is the answer to everything"}', '{}', '{"answer":42}'
  FROM (
    SELECT g, ${at} AS at, g % ${VARIETY.childrenOf} IN (1, 2) AS child,
      CASE WHEN ${pick(7, 100)} < 97 THEN 'completed' WHEN ${pick(7, 100)} < 99 THEN 'failed' ELSE 'cancelled' END AS status
    FROM generate_series($1::bigint, $2::bigint) g
  ) t`;

const BACKLOG = `INSERT INTO tasks (id, title, description, type, tags, metadata, status, status_reason, priority, version,
    created_by, root_task_id, depth, detached, required_capabilities, preferred_capabilities, criteria, excluded_agents,
    skipped_agents, needs_class, attempt, retry_count, max_retries, lost_count, handover_count, retry_policy,
    start_timeout, created_at, updated_at, first_queued_at, queued_at, queue_key, backlog_class, offer_tries, input,
    context)
  SELECT ${id('g')}, 'Waiting task number ' || g, '', 'history.' || ${pick(1, VARIETY.types)}, '[]', '{}', 'queued',
    'created', 1 + ${pick(4, 5)}, 1, 'user:' || ${pick(5, VARIETY.creators)}, ${id('g')}, 0, false,
    '[{"name":"what-nobody-can"}]', '[]', '{}', '[]', '[]', 'fedcba9876543210', 0, 0, 3, 0, 0,
    '{"kind":"exponential","baseSeconds":2,"capSeconds":300,"jitter":true}', 60, ${at}, ${at}, ${at}, ${at},
    $3::bigint + g, 'fedcba9876543210', 0, '{}', '{}'
  FROM generate_series($1::bigint, $2::bigint) g`;

const EVENTS = `INSERT INTO task_events (task_id, version, event_type, event_data, actor, attempt, created_at)
  SELECT ${id('g')}, v, (ARRAY['task.created','task.assigned','task.started','task.completed'])[v],
    '{"changes":{"status":"what it became","updatedAt":1763800000000,"dueAt":null,"attempt":1}}', 'system:history',
    1, ${at}
  FROM generate_series($1::bigint, $2::bigint) g, generate_series(1, 4) v`;
