import { describe, expect, it } from '@jest/globals';
import { DomainError } from '@baton/contracts';
import fc from 'fast-check';
import { createdFixture, DECISION } from '../../test/task.fixture.js';
import { nextDue } from './due.policy.js';
import { decide } from './task.decide.js';
import { changesBetween, changesOfNew, replay, type ReplayEvent } from './task.fold.js';
import { allows, ARROWS, isHeld, isTerminal, type TaskCommand } from './task.state.js';
import type { Changed, Related, Task } from './task.js';

const EARLIER = { taskId: '01900000-0000-7000-8000-0000000000ff', policy: 'fail', name: null } as const;

/** A step of a random life: a command with a right or a wrong fence, and how much time passes before it. */
const step = fc.record({
  kind: fc.constantFrom(
    'assign',
    'start',
    'complete',
    'fail',
    'return',
    'expire',
    'forget',
    'cancel',
    'unblock',
    'due',
  ),
  agentId: fc.constantFrom('alpha', 'beta'),
  attemptOff: fc.constantFrom(0, 0, 0, 0, -1, 1),
  epoch: fc.constantFrom(1, 1, 1, 2),
  retryable: fc.boolean(),
  full: fc.boolean(),
  dependency: fc.constantFrom('completed' as const, 'failed' as const, 'queued' as const),
  after: fc.constantFrom(-5_000, 0, 1, 3_000, 70_000, 400_000),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function toCommand(task: Task, { kind, agentId, attemptOff, epoch, retryable }: Step): TaskCommand {
  const taskId = task.id;
  const held = { agentId: task.lastAgentId ?? agentId, attempt: task.attempt + attemptOff, epoch };
  switch (kind) {
    case 'assign':
      return { kind, taskId, agentId, decision: DECISION };
    case 'start':
      return { kind, taskId, fence: held };
    case 'complete':
      return { kind, taskId, fence: held, result: { n: 1 } };
    case 'fail':
      return { kind, taskId, fence: held, error: { code: 'broken', message: 'm', retryable } };
    case 'return':
      return { kind, taskId, fence: held, reason: retryable ? 'declined' : 'draining' };
    case 'expire':
      return { kind, taskId, agentId: held.agentId, attempt: held.attempt, deadEpoch: epoch };
    case 'forget':
      return { kind, taskId, ...held, version: task.version };
    case 'cancel':
      return { kind, taskId, reason: 'requested' };
    case 'unblock':
      return { kind, taskId };
    case 'due':
      return { kind, taskId };
  }
  throw new Error(`unknown step ${String(kind)}`);
}

function assertInvariants(before: Task, changed: Changed): void {
  const { task, arrow, event } = changed;
  expect(allows(arrow, before.status)).toBe(true);
  expect(ARROWS[arrow].to as readonly string[]).toContain(task.status);
  expect(ARROWS[arrow].events as readonly string[]).toContain(event);
  expect(isTerminal(before.status)).toBe(false);
  expect(task.version).toBe(before.version + 1);
  expect(task.attempt).toBe(before.attempt + (task.status === 'assigned' ? 1 : 0));
  expect(task.updatedAt).toBeGreaterThanOrEqual(before.updatedAt);
  expect(isHeld(task.status)).toBe(task.assignedTo !== null);
  expect(isTerminal(task.status)).toBe(task.completedAt !== null);
  expect(task.backlogClass === null || task.status === 'queued').toBe(true);
  if (task.status === 'queued') expect(task.backlogClass === null).toBe(task.availableAt !== null);
  expect(task.dueAt).toBe(nextDue(task)?.at ?? null);
}

describe('decide, for any life of a task', () => {
  it('takes only listed arrows, leaves terminal states alone, and replays to the row', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.boolean(),
        fc.boolean(),
        (steps, blocked, isUrgent) => {
          let task = createdFixture({
            ...(blocked ? { dependencies: [EARLIER] } : {}),
            ...(isUrgent ? { deadline: 1_200_000 } : {}),
          });
          const events: ReplayEvent[] = [{ version: 1, at: task.updatedAt, changes: changesOfNew(task) }];
          let now = task.updatedAt;
          for (const one of steps) {
            now += one.after;
            const command = toCommand(task, one);
            const rows: Related = {
              agent: { id: one.agentId, status: 'online', capacity: 5, held: one.full ? 5 : 0 },
              dependencies: [{ policy: 'fail', status: one.dependency }],
              // As the lock query gives it: of the agent the task is assigned to.
              liveEpoch: task.assignedTo === null ? null : 1,
              heartbeatMs: task.assignedTo === null ? null : 2_000,
            };
            const decided = decide(task, rows, command, now);
            if (decided instanceof DomainError) continue;
            if (decided.outcome === 'unchanged') {
              expect({ ...decided.task, dueAt: 0, offerTries: 0 }).toEqual({
                ...task,
                dueAt: 0,
                offerTries: 0,
              });
              task = decided.task;
              continue;
            }
            assertInvariants(task, decided);
            if (command.kind === 'assign') expect(one.full).toBe(false);
            if (command.kind === 'forget') {
              expect(task.holderEpoch).toBe(command.epoch);
              expect(decided.task.updatedAt - (task.startedAt ?? Infinity)).toBeGreaterThan(6_000);
            }
            const changes = changesBetween(task, decided.task);
            events.push({ version: decided.task.version, at: decided.task.updatedAt, changes });
            task = decided.task;
          }
          const { dueAt: _due, offerTries: _tries, offerAcceptedAt: _accepted, ...row } = task;
          expect(replay(events)).toEqual(row);
          expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));
          const half = events.length >> 1;
          expect(replay(events.slice(half), replay(events.slice(0, half)))).toEqual(row);
        },
      ),
      { numRuns: 500 },
    );
  });
});
