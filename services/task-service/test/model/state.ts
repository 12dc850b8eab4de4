import { expect } from '@jest/globals';
import type { Fixture, Json } from '../fixture.js';
import type { Model } from './model.js';

/** Fails unless every task and agent of the model is in the database as the model says. */
export async function expectSame(fixture: Fixture, { tasks, agents }: Model): Promise<void> {
  const [found, fleet] = await Promise.all([
    fixture.db.query(
      `SELECT id, status, status_reason AS reason, version, attempt, assigned_to AS agent, last_agent_id AS last,
          holder_epoch AS epoch, retry_count AS retries, lost_count AS lost, handover_count AS handovers,
          pinned_to AS pin, created_by AS creator, parent_task_id AS parent, depth, priority
        FROM tasks WHERE id = ANY($1) ORDER BY array_position($1, id)`,
      [tasks.map(({ id }) => id)],
    ),
    fixture.db.query('SELECT id, status, epoch FROM agents WHERE id = ANY($1) ORDER BY id', [
      agents.map(({ id }) => id),
    ]),
  ]);
  const expected = tasks.map(
    ({ had, chain, needs, awaited, maxRetries, detached, backTo, excluded, ...task }) => task,
  );
  expect(found.rows).toEqual(expected);
  expect(fleet.rows).toEqual(agents.map(({ id, status, epoch }) => ({ id, status, epoch })));
}

/** The same as anyone sees it who asks for the tasks one by one. */
export async function expectShown(fixture: Fixture, { tasks }: Model): Promise<void> {
  for (const task of tasks) {
    const { body } = await fixture.http('GET', `/v1/tasks/${task.id}`);
    const { status, statusReason, version, attempt, assignedTo, delegationChain, pinnedTo } = body;
    expect({ status, statusReason, version, attempt, assignedTo, delegationChain, pinnedTo }).toEqual({
      status: task.status,
      statusReason: task.reason,
      version: task.version,
      attempt: task.attempt,
      assignedTo: task.agent,
      delegationChain: task.chain,
      pinnedTo: task.pin,
    });
    const needs = body.dependencies.map(({ taskId, policy }: Json) => ({ id: taskId, policy }));
    expect(needs.toSorted(byId)).toEqual(task.needs.map(({ id, policy }) => ({ id, policy })).toSorted(byId));
  }
}

function byId(one: { id: string }, other: { id: string }): number {
  return one.id < other.id ? -1 : 1;
}
