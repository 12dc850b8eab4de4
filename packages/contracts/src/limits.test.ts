import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { listAgents, registerAgent } from './agent.js';
import { callAck, callCreate, callInbox, parentFence } from './agent-calls.js';
import { taskCommands, taskItems } from './agent-commands.js';
import { goodbye } from './agent-protocol.js';
import { LIMITS } from './limits.js';
import { SHARDS } from './shards.js';
import { assignRequest, expireRequest, leaseRequest } from './service-protocol.js';
import { cancelTask, createBatch, createGraph, createTask, looseBatch, taskError } from './task.js';
import { callList, countTasks, listTasks } from './task-list.js';
import { agentId, idempotencyKey, word } from './words.js';

const id = '0193a1c4-7f2e-7b3a-9c41-2f6d8e0b1a57';
const list = <T>(size: number, item: T): T[] => Array.from({ length: size }, () => item);
const letters = (size: number) => 'x'.repeat(size);
const numbered = (size: number) => list(size, 'x').map((letter, index) => `${letter}${index}`);

/** An object that takes exactly `bytes` bytes as JSON. */
const sized = (bytes: number) => ({ a: letters(bytes - '{"a":""}'.length) });

const task = (field: string) => (value: unknown) => ({ title: 'a task', [field]: value });
const agent = (field: string) => (value: unknown) => ({ id: 'writer', [field]: value });
const held = { taskId: id, attempt: 1, epoch: 1, commandId: id };
const assignment = {
  taskId: id,
  agentId: 'writer',
  shardEpoch: 1,
  decision: {
    policy: 'weighted',
    policyVersion: 1,
    chosen: { agentId: 'writer', total: 1, parts: [] },
    runnersUp: [],
    considered: 1,
    filtered: {},
    tookMicros: 1,
  },
};

/** `dependencies` edges spread over as few tasks as may have them. */
function graph(dependencies: number): unknown {
  const edge = { taskId: id };
  const full = list(Math.floor(dependencies / LIMITS.dependencies), {
    title: 'a task',
    dependencies: list(LIMITS.dependencies, edge),
  });
  const rest = { title: 'a task', dependencies: list(dependencies % LIMITS.dependencies, edge) };
  return { tasks: [...full, rest].map((node, index) => ({ ...node, ref: `t${index}` })) };
}

type Limit = readonly [name: string, schema: z.ZodType, limit: number, build: (size: number) => unknown];

const upper: readonly Limit[] = [
  ['title', createTask, LIMITS.titleCharacters, (n) => ({ title: letters(n) })],
  ['description', createTask, LIMITS.descriptionBytes, (n) => task('description')(letters(n))],
  ['input', createTask, LIMITS.payloadBytes, (n) => task('input')(sized(n))],
  ['context', createTask, LIMITS.payloadBytes, (n) => task('context')(sized(n))],
  ['metadata', createTask, LIMITS.payloadBytes, (n) => task('metadata')(sized(n))],
  ['result', taskCommands.complete, LIMITS.payloadBytes, (n) => ({ ...held, result: sized(n) })],
  ['tags', createTask, LIMITS.tags, (n) => task('tags')(list(n, 'tag'))],
  [
    'requiredCapabilities',
    createTask,
    LIMITS.capabilities,
    (n) => task('requiredCapabilities')(list(n, { name: 'write' })),
  ],
  [
    'preferredCapabilities',
    createTask,
    LIMITS.capabilities,
    (n) => task('preferredCapabilities')(list(n, 'write')),
  ],
  [
    'preferredAgents',
    createTask,
    LIMITS.capabilities,
    (n) => task('criteria')({ preferredAgents: list(n, 'writer') }),
  ],
  [
    'requiredLabels',
    createTask,
    LIMITS.tags,
    (n) => task('criteria')({ requiredLabels: Object.fromEntries(numbered(n).map((name) => [name, 'x'])) }),
  ],
  ['minScore', createTask, 1, (n) => task('criteria')({ minScore: n })],
  [
    'capabilities',
    registerAgent,
    LIMITS.capabilities,
    (n) => agent('capabilities')(list(n, { name: 'write' })),
  ],
  ['agent description', registerAgent, LIMITS.descriptionBytes, (n) => agent('description')(letters(n))],
  ['agent name', registerAgent, 255, (n) => agent('name')(letters(n))],
  [
    'labels',
    registerAgent,
    LIMITS.tags,
    (n) => agent('labels')(Object.fromEntries(list(n, '').map((_, index) => [`label-${index}`, 'x']))),
  ],
  ['label name', registerAgent, 63, (n) => agent('labels')({ [letters(n)]: 'x' })],
  ['label value', registerAgent, 255, (n) => agent('labels')({ region: letters(n) })],
  ['maxConcurrent', registerAgent, 10_000, agent('maxConcurrent')],
  ['prefetch', registerAgent, 2, agent('prefetch')],
  ['dependencies', createTask, LIMITS.dependencies, (n) => task('dependencies')(list(n, { taskId: id }))],
  ['tasks of a batch', createBatch, LIMITS.batchTasks, (n) => ({ tasks: list(n, { title: 'a task' }) })],
  ['tasks of a loose batch', looseBatch, LIMITS.batchTasks, (n) => ({ tasks: list(n, null) })],
  ['tasks of call.create', callCreate, LIMITS.batchTasks, (n) => ({ tasks: list(n, { title: 'a task' }) })],
  [
    'tasks of a graph',
    createGraph,
    LIMITS.graphTasks,
    (n) => ({ tasks: list(n, 'a task').map((title, index) => ({ title, ref: `t${index}` })) }),
  ],
  ['dependencies of a graph', createGraph, LIMITS.graphDependencies, graph],
  ['items of an agent', taskItems, LIMITS.agentItems, (n) => ({ items: list(n, held) })],
  ['items of assign', assignRequest, LIMITS.agentItems, (n) => ({ items: list(n, assignment) })],
  [
    'items of expire',
    expireRequest,
    LIMITS.agentItems,
    (n) => ({ items: list(n, { agentId: 'writer', epoch: 1, silentMs: 6_000 }) }),
  ],
  [
    'shards given back',
    leaseRequest,
    SHARDS,
    (n) => ({ instance: id, release: list(n, { shard: 0, epoch: 1 }) }),
  ],
  ['shard', leaseRequest, SHARDS - 1, (n) => ({ instance: id, release: [{ shard: n, epoch: 1 }] })],
  ['page of tasks', listTasks, LIMITS.listPage, (n) => ({ limit: String(n) })],
  ['page of call.list', callList, LIMITS.listPage, (n) => ({ limit: n })],
  ['characters of q', listTasks, LIMITS.queryCharacters, (n) => ({ q: `a${' '.repeat(n - 1)}` })],
  ['terms of q', countTasks, LIMITS.filterTerms, (n) => ({ q: numbered(n).join(' ') })],
  [
    'terms of q and other parameters',
    countTasks,
    LIMITS.filterTerms,
    (n) => ({ q: 'x', tag: numbered(n - 1) }),
  ],
  ['values of a field', countTasks, LIMITS.filterValues, (n) => ({ type: numbered(n).join(',') })],
  ['text in the title', countTasks, 255, (n) => ({ text: letters(n) })],
  ['tag filtered by', countTasks, 100, (n) => ({ tag: letters(n) })],
  ['page of agents', listAgents, LIMITS.listPage, (n) => ({ limit: String(n) })],
  ['page of the inbox', callInbox, 100, (n) => ({ limit: n })],
  ['acknowledged at once', callAck, 500, (n) => ({ ids: list(n, id) })],
  ['reason of a cancel', cancelTask, 255, (n) => ({ reason: letters(n) })],
  ['message of an error', taskError, 8 * 1024, (n) => ({ message: letters(n) })],
  [
    'message of a progress',
    taskCommands.progress,
    1_000,
    (n) => ({ ...held, percent: 1, message: letters(n) }),
  ],
  ['priority', createTask, 5, task('priority')],
  ['maxRetries', createTask, 100, task('maxRetries')],
  ['timeout', createTask, 31_536_000, task('timeout')],
  ['attempt', taskCommands.start, 2_147_483_647, (n) => ({ ...held, attempt: n })],
  ['epoch', taskCommands.start, 2_147_483_647, (n) => ({ ...held, epoch: n })],
  ['epoch of a parent', parentFence, 2_147_483_647, (n) => ({ taskId: id, attempt: 1, epoch: n })],
  ['epoch of a goodbye', goodbye, 2_147_483_647, (n) => ({ epoch: n, mode: 'leave' })],
  ['percent', taskCommands.progress, 100, (n) => ({ ...held, percent: n })],
  ['agent id', agentId, 64, letters],
  ['word', word, 100, letters],
  ['idempotency key', idempotencyKey, 255, letters],
];

const lower: readonly Limit[] = [
  ['title', createTask, 1, (n) => ({ title: letters(n) })],
  ['priority', createTask, 1, task('priority')],
  ['maxRetries', createTask, 0, task('maxRetries')],
  ['tasks of a batch', createBatch, 1, (n) => ({ tasks: list(n, { title: 'a task' }) })],
  ['tasks of a graph', createGraph, 1, (n) => ({ tasks: list(n, { title: 'a task', ref: 'a' }) })],
  ['items of an agent', taskItems, 1, (n) => ({ items: list(n, held) })],
  ['maxConcurrent', registerAgent, 1, agent('maxConcurrent')],
  ['prefetch', registerAgent, 0, agent('prefetch')],
  ['page of tasks', listTasks, 1, (n) => ({ limit: String(n) })],
  ['attempt', taskCommands.start, 0, (n) => ({ ...held, attempt: n })],
  ['epoch', taskCommands.start, 0, (n) => ({ ...held, epoch: n })],
  ['percent', taskCommands.progress, 0, (n) => ({ ...held, percent: n })],
  ['agent id', agentId, 1, letters],
  ['idempotency key', idempotencyKey, 1, letters],
];

describe('every limit', () => {
  it.each(upper)('%s: at most', (_name, schema, limit, build) => {
    expect(schema.safeParse(build(limit)).error).toBeUndefined();
    expect(schema.safeParse(build(limit + 1)).success).toBe(false);
  });

  it.each(lower)('%s: at least', (_name, schema, limit, build) => {
    expect(schema.safeParse(build(limit)).error).toBeUndefined();
    expect(schema.safeParse(limit === 0 ? build(-1) : build(limit - 1)).success).toBe(false);
  });

  it('an agent that beats less than twice before it expires is refused', () => {
    const beats = (expireMs: number) => ({ id: 'writer', heartbeatMs: 1_000, expireMs });
    expect(registerAgent.safeParse(beats(2_000)).success).toBe(true);
    expect(registerAgent.safeParse(beats(1_999)).success).toBe(false);
  });
});
