import type { z } from 'zod';
import {
  callAck,
  callAckAnswer,
  callAgents,
  callAgentsAnswer,
  callAnswer,
  callCancel,
  callCreate,
  callCreateAnswer,
  callGet,
  callGetAnswer,
  callInbox,
  callInboxAnswer,
  callDelete,
  callLink,
  callRelease,
  callReopen,
  callUpdate,
  callSpawn,
  callUnblock,
  callUnlink,
} from './agent-calls.js';
import { taskAnswer } from './agent-commands.js';
import { callRenew, issuedCredentials } from './enrolment.js';
import { DELEGATION_ERRORS } from './delegation.js';
import type { ErrorCode } from './errors.js';
import { accepted, type Message } from './message.js';
import { agentSubject, type CallVerb } from './subjects.js';
import { decisionView } from './decision.js';
import { callList, taskPage } from './task-list.js';
import { callDecision, callHistory, callHistoryAnswer, callWait, callWaitAnswer } from './task-watch.js';

const creating = [
  'FORBIDDEN',
  'TASK_NOT_FOUND',
  'TASK_STATE_CONFLICT',
  'STALE_ATTEMPT',
  'STALE_SESSION',
  'IDEMPOTENCY_MISMATCH',
  'DEPENDENCY_CYCLE',
  'DEPENDENCY_NOT_FOUND',
  ...DELEGATION_ERRORS,
  'DELEGATION_FANOUT',
  'BUDGET_EXCEEDED',
] as const;

const changing = ['FORBIDDEN', 'TASK_NOT_FOUND', 'TASK_STATE_CONFLICT', 'VERSION_MISMATCH'] as const;

/** `agent.<id>.call.<verb>`. */
export const CALL_MESSAGES = {
  'call.create': call('create', {
    tells: 'Create one task, many, or a graph: all or nothing. Exactly one of `task`, `tasks`, `graph`.',
    body: callCreate,
    answer: callCreateAnswer,
    errors: creating,
  }),
  'call.spawn': call('spawn', {
    tells: 'Create children of a task the agent holds, checked by the fence of its own hold on it.',
    body: callSpawn,
    answer: callCreateAnswer,
    errors: creating,
  }),
  'call.get': call('get', {
    tells: 'Read a task.',
    body: callGet,
    answer: callGetAnswer,
    errors: ['TASK_NOT_FOUND'],
  }),
  'call.agents': call('agents', {
    tells:
      'The agents this one is connected to, the strongest first; with `capability` those that have it. To them it may hand work on.',
    body: callAgents,
    answer: callAgentsAnswer,
    errors: [],
  }),
  'call.wait': call('wait', {
    tells:
      'Answered when the task has ended, or after `timeoutMs`, whichever comes first. Ask with a longer timeout than that.',
    body: callWait,
    answer: callWaitAnswer,
    errors: ['TASK_NOT_FOUND'],
  }),
  'call.history': call('history', {
    tells: 'Every accepted change of a task behind version `after`, as many as fit into an answer.',
    body: callHistory,
    answer: callHistoryAnswer,
    errors: ['TASK_NOT_FOUND'],
  }),
  'call.decision': call('decision', {
    tells: 'Why the task is with its agent; or, while nobody has it, why it waits and what to do.',
    body: callDecision,
    answer: decisionView,
    errors: ['TASK_NOT_FOUND'],
  }),
  'call.list': call('list', {
    tells:
      'List tasks the agent created or had last; with `parent:` or `root:` in `q`, all below a task it holds. `q` and ' +
      '`sort` are those of [lists](lists.md). `next` is the `cursor` of the next page; a page may be short or empty ' +
      'and the list go on.',
    body: callList,
    answer: taskPage,
    errors: ['QUERY_NOT_SUPPORTED'],
  }),
  'call.update': call('update', {
    tells:
      'Change fields of a task the agent created, as `PATCH /v1/tasks/{id}` does; with `version` only while it is at that one.',
    body: callUpdate,
    answer: taskAnswer,
    errors: changing,
  }),
  'call.release': call('release', {
    tells: 'Let a task go on that its creator held back.',
    body: callRelease,
    answer: taskAnswer,
    errors: ['FORBIDDEN', 'TASK_NOT_FOUND', 'TASK_STATE_CONFLICT'],
  }),
  'call.link': call('link', {
    tells:
      'Have a task the agent created, and that was not started, wait for another it may see, or change how it waits for it.',
    body: callLink,
    answer: taskAnswer,
    errors: [...changing, 'DEPENDENCY_NOT_FOUND', 'DEPENDENCY_CYCLE'],
  }),
  'call.unlink': call('unlink', {
    tells: 'Have a task the agent created, and that was not started, wait for another one no more.',
    body: callUnlink,
    answer: taskAnswer,
    errors: changing,
  }),
  'call.unblock': call('unblock', {
    tells: 'Say that what a task the agent created waits for outside of Baton has happened.',
    body: callUnblock,
    answer: taskAnswer,
    errors: ['FORBIDDEN', 'TASK_NOT_FOUND', 'TASK_STATE_CONFLICT'],
  }),
  'call.reopen': call('reopen', {
    tells: 'Let a task begin anew that the agent created and that failed or was cancelled.',
    body: callReopen,
    answer: taskAnswer,
    errors: changing,
  }),
  'call.delete': call('delete', {
    tells: 'Remove a task the agent created, that has ended or is held back and that no other waits for.',
    body: callDelete,
    answer: taskAnswer,
    errors: ['FORBIDDEN', 'TASK_HAS_DEPENDENTS', 'TASK_NOT_FOUND', 'TASK_STATE_CONFLICT'],
  }),
  'call.cancel': call('cancel', {
    tells: 'Cancel a task the agent created, or below one it holds.',
    body: callCancel,
    answer: taskAnswer,
    errors: ['FORBIDDEN', 'TASK_NOT_FOUND', 'TASK_STATE_CONFLICT'],
  }),
  'call.answer': call('answer', {
    tells: 'Answer what a task is blocked for that the agent created, or below one it holds.',
    body: callAnswer,
    answer: taskAnswer,
    errors: ['FORBIDDEN', 'TASK_NOT_FOUND', 'TASK_STATE_CONFLICT', 'STALE_ATTEMPT'],
  }),
  'call.inbox': call('inbox', {
    tells: 'Read the unacknowledged ends. A `count` of 1,001 stands for more than 1,000.',
    body: callInbox,
    answer: callInboxAnswer,
    errors: [],
  }),
  'call.ack': call('ack', {
    tells: 'Acknowledge ends; the answer says how many were.',
    body: callAck,
    answer: callAckAnswer,
    errors: [],
  }),
  'call.renew': call('renew', {
    tells:
      'Make new credentials for the agent, for a key of which it sends the public half. Its present ones stay valid until they expire.',
    body: callRenew,
    answer: issuedCredentials,
    errors: ['ENROLMENT_REFUSED', 'NOT_CONFIGURED'],
  }),
} as const satisfies Readonly<Record<`call.${CallVerb}`, Message>>;

function call(
  verb: CallVerb,
  { answer, ...said }: { tells: string; body: z.ZodType; answer: z.ZodObject; errors: readonly ErrorCode[] },
): Message {
  return {
    subject: agentSubject.call('{agentId}', verb),
    group: 'call',
    from: 'agent',
    ...said,
    answer: accepted(answer),
  };
}
