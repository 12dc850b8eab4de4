/**
 * SQL: whether task `t` is held, beside `t.last_agent_id = …`, for the index of an agent's tasks. Its status is collated
 * apart from that of the other indexes, so that no other can serve this: where hardly any task was held at the last
 * ANALYZE, that of all statuses looks as short, and then has what the whole fleet holds.
 */
export const HELD = `t.status COLLATE "C" IN ('assigned','in_progress')`;
