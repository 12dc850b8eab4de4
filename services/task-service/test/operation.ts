import { expect } from '@jest/globals';
import { until } from '@baton/testkit';
import type { Fixture, Json } from './fixture.js';

/** An operator's side of operations by filter, and what came of the tasks. */
export function operationsOf(fixture: () => Fixture) {
  const post = (body: object, headers: Record<string, string> = {}) =>
    fixture().http('POST', '/v1/operations', body, headers);
  const read = async (id: string): Promise<Json> =>
    (await fixture().http('GET', `/v1/operations/${id}`)).body;

  async function start(body: object): Promise<string> {
    const { status, body: operation, headers } = await post(body);
    expect({ status, operation }).toMatchObject({ status: 202 });
    expect(headers.get('location')).toBe(`/v1/operations/${operation.id}`);
    return operation.id;
  }

  /** The operation once it has ended. */
  async function ended(id: string): Promise<Json> {
    let operation: Json;
    await until(async () => (operation = await read(id)).endedAt !== null, { timeoutMs: 30_000 });
    return operation;
  }

  async function createMany(count: number, task: object): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let from = 0; from < count; from += 1_000) {
      const tasks = Array.from({ length: Math.min(1_000, count - from) }, (_, index) => ({
        title: `Task ${from + index}`,
        ...task,
      }));
      const { body } = await fixture().http('POST', '/v1/tasks/batch', { tasks, atomic: true });
      ids.push(...body.tasks.map(({ id }: Json) => id));
    }
    return ids;
  }

  /** How often each task of a type was changed by this event. */
  async function changes(
    type: string,
    event = 'task.cancelled',
  ): Promise<readonly { readonly status: string; readonly times: number; readonly tasks: number }[]> {
    const { rows } = await fixture().db.query(
      `SELECT status, times, count(*)::int AS tasks FROM (
        SELECT t.id, t.status, count(e.version) FILTER (WHERE e.event_type = $1)::int AS times
        FROM tasks t JOIN task_events e ON e.task_id = t.id WHERE t.type = $2 GROUP BY t.id) t
      GROUP BY status, times ORDER BY status, times`,
      [event, type],
    );
    return rows;
  }

  return { post, start, ended, createMany, changes };
}
