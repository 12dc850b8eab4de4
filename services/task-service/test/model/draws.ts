import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { agentOf, hasEnded, isHeld, type Model, type Policy, type Task } from './model.js';
import { newProcess } from './service.js';
import type { Held, Word } from './words.js';

/** What is drawn for a command; which task and which fence it means follows from the state it meets. */
type Draw = {
  readonly kind: Word['kind'];
  /** Whether it is aimed at what its kind is for. */
  readonly isApt: boolean;
  readonly isFenceOf: 'holder' | 'another agent' | 'an earlier attempt' | 'an earlier epoch';
  readonly over: 'nats' | 'http';
  readonly task: number;
  readonly agent: number;
  readonly policy: Policy;
  readonly flag: boolean;
};

/** A command; and perhaps another about the same task, at the same time. */
export type Draws = readonly [Draw, Draw | null];

const weights: Readonly<Record<Word['kind'], number>> = {
  create: 16,
  batch: 2,
  chain: 3,
  spawn: 6,
  release: 3,
  cancel: 5,
  distribute: 26,
  assign: 5,
  reassign: 3,
  start: 22,
  progress: 4,
  checkpoint: 4,
  complete: 12,
  fail: 8,
  return: 6,
  delegate: 8,
  update: 5,
  reopen: 4,
  ask: 5,
  await: 4,
  answer: 4,
  unblock: 3,
  link: 5,
  unlink: 2,
  hello: 2,
  goodbye: 1,
  silent: 1,
};

const kinds = Object.entries(weights).map(([kind, weight]) => ({ kind: kind as Word['kind'], weight }));

/** What two clients may say of one task at the same time. */
const RIVALS = [
  'cancel',
  'distribute',
  'assign',
  'reassign',
  'start',
  'complete',
  'fail',
  'return',
  'delegate',
  'update',
  'ask',
  'answer',
] as const;

const drawn = fc.record<Draw>({
  kind: fc.oneof(...kinds.map(({ kind, weight }) => ({ weight, arbitrary: fc.constant(kind) }))),
  isApt: mostly(true, false),
  isFenceOf: mostly('holder', 'another agent', 'an earlier attempt', 'an earlier epoch'),
  over: fc.constantFrom('nats', 'http'),
  task: fc.nat(10_000),
  agent: fc.nat(10_000),
  policy: fc.constantFrom('fail', 'cancel', 'ignore', 'wait'),
  flag: fc.boolean(),
});
const rival = fc.tuple(drawn, fc.constantFrom(...RIVALS)).map(([draw, kind]): Draw => ({ ...draw, kind }));

/** A command of any kind, now and then with a rival. */
export const draws: fc.Arbitrary<Draws> = fc.tuple(
  drawn,
  fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: rival }),
);

function mostly<T>(usual: T, ...others: readonly T[]) {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

/** What is meant by a draw, given what there is. */
export function toWords(model: Model, [one, other]: Draws): readonly Word[] {
  const word = toWord(model, one);
  if (other === null || !('task' in word) || typeof word.task !== 'string' || word.kind === 'spawn')
    return [word];
  const task = model.tasks.findIndex(({ id }) => id === word.task);
  const against = toWord({ ...model, tasks: model.tasks.slice(task, task + 1) }, other);
  return [word, against].map((each) => ('isRepeated' in each ? { ...each, isRepeated: false } : each));
}

function toWord(model: Model, draw: Draw): Word {
  const { kind, policy, flag } = draw;
  const agent = pick(model.agents, draw.agent).id;
  switch (kind) {
    case 'create': {
      const needs = [0, 1].slice(0, draw.agent % 3).flatMap((offset) => {
        const needed = model.tasks.at(-1 - ((draw.task + offset) % Math.max(1, model.tasks.length)));
        return needed === undefined ? [] : [needed.id];
      });
      const task = {
        hold: !draw.isApt,
        maxRetries: draw.task % 3,
        needs: [...new Set(needs)].map((id) => ({ id, policy })),
      };
      return { kind, task, key: flag ? randomUUID() : null };
    }
    case 'batch':
      return { kind, maxRetries: draw.task % 3 };
    case 'chain':
      return { kind, policy };
    case 'hello': {
      const { processes } = agentOf(model, agent);
      return { kind, agent, process: flag ? newProcess() : pick(processes, draw.task) };
    }
    case 'goodbye':
      return { kind, agent, epoch: epochOf(model, agent, draw), mode: flag ? 'drain' : 'leave' };
    case 'silent':
      return { kind, agent, epoch: epochOf(model, agent, draw) };
    case 'release':
    case 'cancel':
      return { kind, task: target(model, draw).id };
    case 'distribute': {
      const task = target(model, draw);
      return { kind, task: task.id, agent: draw.isApt ? (task.pin ?? agent) : agent };
    }
    case 'assign':
      return { kind, task: target(model, draw).id, agent, ifFull: flag ? 'pin' : 'refuse' };
    case 'reassign':
      return { kind, task: target(model, draw).id, agent: flag ? agent : null };
    case 'spawn':
      return { kind, ...fence(model, draw), detached: flag, maxRetries: 1 };
    case 'start':
    case 'progress':
    case 'checkpoint':
    case 'complete':
      return { kind, ...fence(model, draw) };
    case 'fail':
      return { kind, ...fence(model, draw), retryable: draw.agent % 4 > 0 };
    case 'return':
      return { kind, ...fence(model, draw), reason: flag ? 'declined' : 'draining' };
    case 'update': {
      const { id, version } = target(model, draw);
      const read = version - (draw.isApt ? 0 : 1);
      return { kind, task: id, priority: 1 + (draw.agent % 5), version: flag ? read : null };
    }
    case 'reopen':
    case 'unblock':
      return { kind, task: target(model, draw).id };
    case 'answer':
      return { kind, task: target(model, draw).id, isDenied: flag };
    case 'ask':
      return { kind, ...fence(model, draw), reason: flag ? 'input' : 'external' };
    case 'await':
      return { kind, ...fence(model, draw), children: flag ? 'all' : 'any' };
    case 'link': {
      // Of older tasks alone, and no child: what waits for whom can form no cycle, which is another test's affair.
      const { task, needed } = edge(model, draw);
      return { kind, task, needed, policy };
    }
    case 'unlink':
      return { kind, ...edge(model, draw) };
    case 'delegate':
      return { kind, ...fence(model, draw), to: agent };
  }
}

const APT: { readonly [Kind in Word['kind']]?: (task: Task) => boolean } = {
  release: ({ status }) => status === 'created',
  cancel: (task) => !hasEnded(task),
  distribute: ({ status }) => status === 'queued',
  assign: ({ status }) => status === 'queued',
  start: ({ status }) => status === 'assigned',
  update: (task) => !hasEnded(task),
  reopen: ({ status }) => status === 'failed' || status === 'cancelled',
  answer: ({ reason }) => reason === 'input',
  unblock: ({ reason }) => reason === 'external',
  link: ({ status, parent }) => ['created', 'queued', 'blocked'].includes(status) && parent === null,
  unlink: ({ needs, status }) => needs.length > 0 && status === 'blocked',
  progress: ({ status }) => status === 'in_progress',
  checkpoint: ({ status }) => status === 'in_progress',
  complete: ({ status }) => status === 'in_progress',
};

function target(model: Model, { kind, isApt, task }: Draw): Task {
  const apt = isApt ? model.tasks.filter(APT[kind] ?? isHeld) : [];
  return pick(apt.length > 0 ? apt : model.tasks, task);
}

function edge(model: Model, draw: Draw) {
  const first = target(model, draw);
  const { id: task, needs } = first.parent === null ? first : pick(model.tasks, 0);
  const older = model.tasks.slice(
    0,
    Math.max(
      1,
      model.tasks.findIndex(({ id }) => id === task),
    ),
  );
  const needed =
    draw.kind === 'unlink' && needs.length > 0 ? pick(needs, draw.agent).id : pick(older, draw.agent).id;
  return { task, needed };
}

function fence(model: Model, draw: Draw): Held {
  const { id, last, attempt, epoch } = target(model, draw);
  const another = pick(model.agents, draw.agent).id;
  const agent = draw.isFenceOf === 'another agent' ? another : (last ?? another);
  const held = epoch ?? agentOf(model, agent).epoch;
  return {
    task: id,
    agent,
    attempt: Math.max(0, attempt - (draw.isFenceOf === 'an earlier attempt' ? 1 : 0)),
    epoch: held - (draw.isFenceOf === 'an earlier epoch' ? 1 : 0),
    over: draw.over,
    commandId: randomUUID(),
    isRepeated: draw.flag,
  };
}

function epochOf(model: Model, agent: string, { isApt }: Draw): number {
  return agentOf(model, agent).epoch - (isApt ? 0 : 1);
}

function pick<T>(items: readonly T[], draw: number): T {
  const item = items[draw % items.length];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
