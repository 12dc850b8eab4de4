import { describe, expect, it } from '@jest/globals';
import { DEPENDENCY_POLICIES, DomainError } from '@baton/contracts';
import fc from 'fast-check';
import { createdFixture, DECISION } from '../../test/task.fixture.js';
import { nextDue } from './due.policy.js';
import { decide } from './task.decide.js';
import { changesBetween, changesOfNew, replay, type ReplayEvent } from './task.fold.js';
import {
  allows,
  ARROWS,
  endsOf,
  isHeld,
  isTerminal,
  type ArrowName,
  type TaskCommand,
} from './task.state.js';
import type { Changed, Named, Related, Task } from './task.js';

const EARLIER = { taskId: '01900000-0000-7000-8000-0000000000ff', policy: 'fail', name: null } as const;

/** Two agents that may hand anything on to each other. */
const CONNECTED: Named = {
  agents: new Map(
    ['alpha', 'beta'].map((id) => [id, { id, status: 'online', capabilities: [], labels: {} }] as const),
  ),
  connections: new Set(['alpha>beta', 'beta>alpha']),
};
const OTHER = '01900000-0000-7000-8000-0000000000fe';

const DESCRIBED = {
  title: 'A task',
  description: '',
  tags: [],
  metadata: {},
  estimatedDuration: null,
  input: {},
  context: {},
};

type Kind = TaskCommand['kind'];

/** What a step of a random life draws: mostly a right fence, and how much time passes before it. */
const step = fc.record({
  pick: fc.nat(),
  /** Any command, whether its arrow starts at the present status or not. */
  isWild: fc.constantFrom(true, ...Array<boolean>(7).fill(false)),
  /** Ends a life, so it must be rare. */
  mayCancel: fc.constantFrom(true, ...Array<boolean>(7).fill(false)),
  agentId: fc.constantFrom('alpha', 'beta'),
  attemptOff: fc.constantFrom(...Array<number>(12).fill(0), -1, 1),
  epoch: fc.constantFrom(...Array<number>(8).fill(1), 2),
  retryable: fc.constantFrom(true, true, true, false),
  isByHand: fc.constantFrom(false, false, true),
  full: fc.constantFrom(false, false, false, true),
  dependency: fc.constantFrom(
    'completed' as const,
    'completed' as const,
    'failed' as const,
    'queued' as const,
  ),
  policy: fc.constantFrom(...DEPENDENCY_POLICIES),
  block: fc.constantFrom(
    { reason: 'children', children: 'all' } as const,
    { reason: 'children', children: 1 } as const,
    { reason: 'input', question: 'which?' } as const,
    { reason: 'external', question: 'arrived?' } as const,
  ),
  after: fc.constantFrom(-5_000, 0, 1, 3_000, 70_000, 400_000),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const heldBy = (task: Task, { agentId, attemptOff, epoch }: Step) => ({
  agentId: task.lastAgentId ?? agentId,
  attempt: task.attempt + attemptOff,
  epoch,
});

/** Every command there is: the compiler asks for a new one. */
const COMMANDS: {
  readonly [K in Kind]: (task: Task, one: Step) => Omit<TaskCommand & { kind: K }, 'kind' | 'taskId'>;
} = {
  assign: (_task, { agentId, isByHand }) =>
    isByHand ? { agentId, decision: null, ifFull: 'pin' } : { agentId, decision: DECISION },
  delegate: (task, one) => ({ fence: heldBy(task, one), to: one.agentId }),
  reassign: (_task, { agentId, retryable }) => ({ agentId: retryable ? agentId : null }),
  unpin: () => ({ reason: 'redistributed' }),
  stop: () => ({ reason: 'spent' }),
  start: (task, one) => ({ fence: heldBy(task, one) }),
  complete: (task, one) => ({ fence: heldBy(task, one), result: { n: 1 } }),
  fail: (task, one) => ({
    fence: heldBy(task, one),
    error: {
      message: 'm',
      retryable: one.retryable,
      ...(one.full ? { code: 'rate_limited', retryAfter: 5 } : { code: 'broken' }),
    },
  }),
  return: (task, one) => ({ fence: heldBy(task, one), reason: one.retryable ? 'declined' : 'draining' }),
  expire: (task, one) => {
    const { agentId, attempt, epoch } = heldBy(task, one);
    return { agentId, attempt, deadEpoch: epoch };
  },
  forget: (task, one) => ({ ...heldBy(task, one), version: task.version }),
  update: (_task, { pick, isWild }) => ({
    changes: {
      priority: ([1, 2, 3, 4, 5] as const)[pick % 5] ?? 3,
      ...(isWild ? { requiredCapabilities: [{ name: `skill-${pick % 3}` }], deadline: null } : {}),
      ...(pick % 7 === 0 ? { title: `Task ${pick}`, input: { pick } } : {}),
    },
    merge: isWild,
  }),
  reopen: (task, { pick, isWild, full }) => ({
    changes: {
      ...(isWild ? { priority: ([1, 2, 3, 4, 5] as const)[pick % 5] ?? 3 } : {}),
      ...(full ? {} : { deadline: task.updatedAt + 900_000 }),
    },
  }),
  delete: () => ({}),
  release: () => ({}),
  cancel: () => ({ reason: 'requested' }),
  unblock: (_task, { full }) => (full ? { told: { answer: null } } : {}),
  link: (_task, { policy }) => ({ dependsOn: OTHER, policy, name: null }),
  unlink: () => ({ dependsOn: EARLIER.taskId }),
  block: (task, one) => ({ fence: heldBy(task, one), block: one.block }),
  answer: (_task, { retryable }) => ({ answer: retryable ? { value: 1 } : { denied: 'no' } }),
  due: () => ({}),
};
const KINDS = Object.keys(COMMANDS) as Kind[];

/** The arrows a command may take. */
function arrowsOf(kind: Kind): readonly ArrowName[] {
  if (kind === 'assign') return ['assign', 'pin'];
  return kind === 'due' ? ['ripen', 'unpin', 'timeout'] : [kind];
}

function toCommand(task: Task, one: Step): TaskCommand {
  const kinds = KINDS.filter((kind) => {
    if ((kind === 'cancel' || kind === 'stop') && !one.mayCancel) return false;
    return one.isWild || arrowsOf(kind).some((arrow) => allows(arrow, task.status));
  });
  const kind = kinds[one.pick % kinds.length] ?? 'due';
  return { kind, taskId: task.id, ...COMMANDS[kind](task, one) } as TaskCommand;
}

function assertInvariants(before: Task, changed: Changed): void {
  const { task, arrow, event } = changed;
  expect(allows(arrow, before.status)).toBe(true);
  expect(endsOf(arrow, before.status)).toContain(task.status);
  expect(ARROWS[arrow].events as readonly string[]).toContain(event);
  expect(isTerminal(before.status)).toBe(
    arrow === 'reopen' || (arrow === 'delete' && before.status !== 'created'),
  );
  expect(task.version).toBe(before.version + 1);
  const isHandedOver = task.status === 'assigned' && arrow !== 'update';
  expect(task.attempt).toBe(before.attempt + (isHandedOver ? 1 : 0));
  if (arrow === 'update') expect(task.status).toBe(before.status);
  expect(task.updatedAt).toBeGreaterThanOrEqual(before.updatedAt);
  expect(isHeld(task.status)).toBe(task.assignedTo !== null);
  expect(isTerminal(task.status)).toBe(task.completedAt !== null);
  expect(task.pinnedTo === null || task.status === 'queued').toBe(true);
  if (task.returnTo !== null) expect(task.delegationChain).toContain(task.returnTo);
  expect(task.backlogClass === null || task.status === 'queued').toBe(true);
  if (task.status === 'queued') expect(task.backlogClass === null).toBe(task.availableAt !== null);
  const waitsForChildren = task.status === 'blocked' && task.statusReason === 'children';
  expect(task.awaitedChildren !== null).toBe(waitsForChildren);
  expect(task.dueAt).toBe(nextDue(task)?.at ?? null);
}

describe('decide, for any life of a task', () => {
  it('takes only listed arrows, each of them, leaves terminal states alone, and replays to the row', () => {
    const taken = new Set<ArrowName>(['create']);
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60, size: 'max' }),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (steps, blocked, isUrgent, hold) => {
          let task = createdFixture({
            ...(blocked ? { dependencies: [EARLIER] } : {}),
            hold,
            queueTimeout: hold ? 300 : null,
            timeout: blocked ? 300 : null,
            progressTimeout: isUrgent ? 60 : null,
            ...(isUrgent ? { deadline: 1_200_000 } : {}),
          });
          const events: ReplayEvent[] = [{ version: 1, at: task.updatedAt, changes: changesOfNew(task) }];
          let now = task.updatedAt;
          for (const one of steps) {
            now += one.after;
            const command = toCommand(task, one);
            const rows: Related = {
              agent: { id: one.agentId, status: 'online', capacity: 5, held: one.full ? 5 : 0 },
              dependencies: [
                { taskId: EARLIER.taskId, policy: one.policy, name: null, status: one.dependency },
              ],
              other: { id: OTHER, status: one.dependency },
              children: [{ id: OTHER, status: one.dependency }],
              // As the lock query gives it: of the agent the task is assigned to.
              liveEpoch: task.assignedTo === null ? null : 1,
              heartbeatMs: task.assignedTo === null ? null : 2_000,
              hindrance: one.retryable ? 'others wait for it' : undefined,
              parentStatus: one.full ? 'cancelled' : null,
              described: DESCRIBED,
              progressAt: one.full ? now - 1_000 : null,
              named: one.retryable ? CONNECTED : { ...CONNECTED, agents: new Map() },
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
            taken.add(decided.arrow);
            if (decided.task.attempt > task.attempt) expect(one.full).toBe(false);
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
      { numRuns: 1_000 },
    );
    // A life that never gets anywhere would prove nothing.
    expect([...taken].toSorted()).toEqual(Object.keys(ARROWS).toSorted());
  });
});
