import { z } from 'zod';
import { AGENT_STATUSES } from './agent.js';
import { inboxItem, type AgentAnswer } from './agent-protocol.js';
import { text } from './json.js';
import { LIMITS } from './limits.js';
import { createGraph, createTask } from './task.js';
import { patchTask, reopenTask } from './task-changes.js';
import type { CreateGraphInput, CreateTaskInput } from './task.js';
import { createdTask, taskDetail } from './task-view.js';
import { agentId, idempotencyKey, uuid, word } from './words.js';
import { answerFields, isOneAnswer, isOneAnswerMessage, linkTask, unblockTask } from './workflow.js';

/** The parent an agent creates children for, with the fence of its own hold on it. */
export const parentFence = z.object({
  taskId: uuid,
  attempt: z.int32(),
  epoch: z.int32(),
});
export type ParentFence = z.infer<typeof parentFence>;

const what = {
  task: createTask.optional(),
  tasks: z.array(createTask).min(1).max(LIMITS.batchTasks).optional(),
  graph: createGraph.optional(),
  idempotencyKey: idempotencyKey.optional(),
};
const exactlyOne = (request: { task?: unknown; tasks?: unknown; graph?: unknown }) =>
  [request.task, request.tasks, request.graph].filter((value) => value !== undefined).length === 1;
const exactlyOneMessage = 'expected exactly one of task, tasks, graph';

/**
 * Body of `POST /v1/tasks/{id}/spawn`: children of that task, all or none. With the fence of the holder's hold on it
 * only while that holds; an agent must send it.
 */
export const spawnTasks = z
  .strictObject({
    task: what.task,
    tasks: what.tasks,
    graph: what.graph,
    agentId: agentId.exactOptional(),
    attempt: z.int32().min(0).exactOptional(),
    epoch: z.int32().min(0).exactOptional(),
  })
  .refine(exactlyOne, exactlyOneMessage)
  .refine(
    (said) => new Set([said.agentId, said.attempt, said.epoch].map((one) => one === undefined)).size === 1,
    {
      path: ['attempt'],
      message: 'expected agentId, attempt and epoch together, or none of them',
    },
  );
export type SpawnTasks = z.infer<typeof spawnTasks>;

/** `call.create`: one task, many, or a graph, all or nothing; with a parent as for `call.spawn`. */
export const callCreate = z
  .object({ ...what, parent: parentFence.optional() })
  .refine(exactlyOne, exactlyOneMessage);
/** `call.spawn`: children of a task the agent holds. The idempotency key is scoped to the parent task. */
export const callSpawn = z.object({ ...what, parent: parentFence }).refine(exactlyOne, exactlyOneMessage);
export type CallCreate = z.infer<typeof callCreate>;
export type CallCreateInput = {
  readonly task?: CreateTaskInput;
  readonly tasks?: readonly CreateTaskInput[];
  readonly graph?: CreateGraphInput;
  readonly idempotencyKey?: string;
  readonly parent?: ParentFence;
};
/** `replayed`: the idempotency key was used before. */
export const callCreateAnswer = z.object({
  tasks: z.array(createdTask).readonly(),
  replayed: z.literal(true).exactOptional(),
});
export type CallCreateAnswer = AgentAnswer<Readonly<z.infer<typeof callCreateAnswer>>>;

export const callGet = z.object({ taskId: uuid });
export const callGetAnswer = z.object({ task: taskDetail });

/** A call about one task; `commandId` makes a repetition harmless. */
const aboutTask = { taskId: uuid, commandId: uuid.optional() };
/** The fields of a PATCH; with `version` only while the task is at that one. */
export const callUpdate = z.object({
  ...aboutTask,
  version: z.int32().min(1).optional(),
  changes: patchTask,
});
export const callReopen = z.object({
  ...aboutTask,
  version: z.int32().min(1).optional(),
  changes: reopenTask.default({}),
});
export const callDelete = z.object(aboutTask);
export const callRelease = z.object(aboutTask);
const edge = { ...aboutTask, version: z.int32().min(1).optional(), dependsOn: uuid };
/** `call.link`: as `PUT /v1/tasks/{id}/dependencies/{other}`. */
export const callLink = z.object({ ...edge, ...linkTask.shape });
export const callUnlink = z.object(edge);
export const callUnblock = z.object({ ...aboutTask, ...unblockTask.shape });
export const callCancel = z.object({ ...aboutTask, reason: text({ maxCharacters: 255 }).optional() });
/** `call.answer`: by the creator, or by who holds an ancestor. */
export const callAnswer = z.object({ ...aboutTask, ...answerFields }).refine(isOneAnswer, isOneAnswerMessage);

export const callAgents = z.object({ capability: word.optional() });
/** An agent that the caller may hand work on to. `load` counts what it holds, `room` what it could take now. */
export const connectedAgent = z.object({
  id: agentId,
  status: z.enum(AGENT_STATUSES),
  strength: z.number(),
  capabilities: z.array(z.object({ name: word, level: z.number() })).readonly(),
  load: z.number().int(),
  room: z.number().int(),
});
export type ConnectedAgent = Readonly<z.infer<typeof connectedAgent>>;
export const callAgentsAnswer = z.object({ agents: z.array(connectedAgent).readonly() });

export const callInbox = z.object({ limit: z.number().int().min(1).max(100).default(100) });
/** `count`: all that wait; 1,001 stands for more than 1,000. */
export const callInboxAnswer = z.object({ count: z.number().int(), items: z.array(inboxItem) });
export const callAck = z.object({ ids: z.array(uuid).min(1).max(500) });
/** How many were. */
export const callAckAnswer = z.object({ acknowledged: z.number().int() });
