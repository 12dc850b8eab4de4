/**
 * SQL: whether task `t` is held, beside `t.last_agent_id = …`, for the index of an agent's tasks. Its status is collated
 * apart from that of the other indexes, so that no other can serve this: where hardly any task was held at the last
 * ANALYZE, that of all statuses looks as short, and then has what the whole fleet holds.
 */
export const HELD = `t.status COLLATE "C" IN ('assigned','in_progress')`;

/**
 * SQL: how many tasks of the type `u.type` are held, for the index of types. As rows that are compared, so that no other
 * can serve it: where hardly any task was held at the last ANALYZE, that of all statuses looks as short, and then has
 * what the whole fleet holds.
 */
export const HELD_OF_TYPE = `(SELECT count(*) FROM unnest(ARRAY['assigned','in_progress']) AS s(status)
  JOIN tasks t ON (t.type, t.status) >= (u.type, s.status) AND (t.type, t.status) <= (u.type, s.status))`;
