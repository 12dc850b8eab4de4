import {
  answerTask,
  assignTask,
  callAnswer,
  callCancel,
  callDelete,
  callLink,
  callRelease,
  callReopen,
  callUnblock,
  callUnlink,
  callUpdate,
  cancelTask,
  heldRequests,
  parse,
  patchTask,
  reassignTask,
  releaseTask,
  reopenTask,
  replaceTask,
  taskCommands,
  unblockTask,
  type ReportVerb,
  type TaskVerb,
  type Usage,
} from '@baton/contracts';
import type { z } from 'zod';
import type { ToldUsage } from '../usage/usage.store.js';
import { changedFields, fieldsOf } from './changed-fields.js';
import type { Fence, TaskCommand } from './task.state.js';

/** A command as somebody said it; by the id its sender gave it a repetition is known. */
export type SaidCommand = {
  readonly command: TaskCommand;
  readonly commandId: string | null;
  /** Refused unless the task is at one of these. */
  readonly ifVersions?: readonly number[];
  /** What a holder says along the way that it has used up. */
  readonly used?: SaidUsage | undefined;
  /** The span it was said in, where that is told with it. */
  readonly traceparent?: string | undefined;
};

/** To be kept whatever becomes of the command. */
export type SaidUsage = { readonly agentId: string } & ToldUsage;

/** The task and the hold on it that a holder's word is about. */
type Hold = { readonly taskId: string; readonly fence: Fence };

/** A word of a holder as it comes over NATS, and over HTTP from whoever speaks in its stead. */
type HeldWord = {
  /** The agent's id is the subject's, never the payload's. */
  readonly ofMessage: (agentId: string, item: unknown) => SaidCommand;
  readonly ofRequest: (taskId: string, body: unknown) => SaidCommand;
};

type Message = Omit<Fence, 'agentId'> & {
  readonly taskId: string;
  readonly commandId: string;
  readonly traceparent?: string | undefined;
  readonly usage?: Usage | undefined;
};
type Request = Fence & { readonly commandId?: string | undefined; readonly usage?: Usage | undefined };

/** Every word of a holder that takes an arrow, `agent.<id>.task.<word>`: what it says and what it means. */
export const HELD_WORDS: { readonly [Verb in Exclude<TaskVerb, 'progress' | ReportVerb>]: HeldWord } = {
  start: held(taskCommands.start, heldRequests.start, (hold) => ({ kind: 'start', ...hold })),
  complete: held(taskCommands.complete, heldRequests.complete, (hold, { result = null }) => ({
    kind: 'complete',
    ...hold,
    result,
  })),
  fail: held(taskCommands.fail, heldRequests.fail, (hold, { error }) => ({ kind: 'fail', ...hold, error })),
  return: held(taskCommands.return, heldRequests.return, (hold, { reason }) => ({
    kind: 'return',
    ...hold,
    reason,
  })),
  delegate: held(taskCommands.delegate, heldRequests.delegate, (hold, { to }) => ({
    kind: 'delegate',
    ...hold,
    to,
  })),
  block: held(taskCommands.block, heldRequests.block, (hold, said) => ({
    kind: 'block',
    ...hold,
    block:
      said.reason === 'children'
        ? { reason: said.reason, children: said.children }
        : { reason: said.reason, question: said.question },
  })),
};

/** A word of whoever has a say in a task without holding it. */
type Word = (taskId: string, body: unknown) => SaidCommand;

/** `PUT` and `PATCH /v1/tasks/{id}`: the fields as they are to be, or those that are to change. */
export const UPDATES = {
  replace: word('Task', replaceTask, (taskId, said) => ({
    kind: 'update',
    taskId,
    changes: fieldsOf(said),
    merge: false,
  })),
  patch: word('Changes', patchTask, (taskId, said) => ({
    kind: 'update',
    taskId,
    changes: changedFields(said),
    merge: true,
  })),
} as const;

/** Every word of `POST /v1/tasks/{id}/<word>` that takes an arrow, with the command it stands for. */
export const WORDS: Readonly<Record<string, Word>> = {
  release: word('Release', releaseTask, (taskId) => ({ kind: 'release', taskId })),
  reopen: word('Changes', reopenTask, toReopen),
  retry: word('Changes', reopenTask, toReopen),
  cancel: word('Cancel', cancelTask, (taskId, { reason = 'requested' }) => ({
    kind: 'cancel',
    taskId,
    reason,
  })),
  assign: word('Assignment', assignTask, (taskId, { agentId, ifFull }) => ({
    kind: 'assign',
    taskId,
    agentId,
    decision: null,
    ifFull,
  })),
  reassign: word('Reassignment', reassignTask, (taskId, { agentId = null }) => ({
    kind: 'reassign',
    taskId,
    agentId,
  })),
  answer: word('Answer', answerTask, (taskId, said) => answerCommand({ taskId, ...said })),
  unblock: word('Unblock', unblockTask, unblockCommand),
  ...Object.fromEntries(Object.entries(HELD_WORDS).map(([name, { ofRequest }]) => [name, ofRequest])),
};

/** The words of agents about tasks they have a say in, `agent.<id>.call.<word>`. */
export const CALL_WORDS = {
  update: call(callUpdate, ({ taskId, changes }) => ({
    kind: 'update',
    taskId,
    changes: changedFields(changes),
    merge: true,
  })),
  delete: call(callDelete, ({ taskId }) => ({ kind: 'delete', taskId })),
  reopen: call(callReopen, ({ taskId, changes }) => toReopen(taskId, changes)),
  release: call(callRelease, ({ taskId }) => ({ kind: 'release', taskId })),
  link: call(callLink, ({ taskId, dependsOn, policy, name = null }) => ({
    kind: 'link',
    taskId,
    dependsOn,
    policy,
    name,
  })),
  unlink: call(callUnlink, ({ taskId, dependsOn }) => ({ kind: 'unlink', taskId, dependsOn })),
  unblock: call(callUnblock, ({ taskId, ...said }) => unblockCommand(taskId, said)),
  cancel: call(callCancel, ({ taskId, reason = 'requested' }) => ({ kind: 'cancel', taskId, reason })),
  answer: call(callAnswer, answerCommand),
} as const satisfies Readonly<Record<string, (body: unknown) => SaidCommand>>;

function unblockCommand(taskId: string, { answer = null }: z.output<typeof unblockTask>): TaskCommand {
  return { kind: 'unblock', taskId, told: { answer } };
}

/** What an answer means, from whichever edge it comes. */
function answerCommand({ taskId, answer, reason, attempt }: z.output<typeof callAnswer>): TaskCommand {
  return {
    kind: 'answer',
    taskId,
    answer: answer === undefined ? { denied: reason ?? 'there is no answer' } : { value: answer },
    ...(attempt === undefined ? {} : { attempt }),
  };
}

function toReopen(taskId: string, said: z.output<typeof reopenTask>): TaskCommand {
  return { kind: 'reopen', taskId, changes: changedFields(said) };
}

type Call = { readonly commandId?: string | undefined; readonly version?: number | undefined };

function call<Schema extends z.ZodType<Call>>(
  schema: Schema,
  toCommand: (said: z.output<Schema>) => TaskCommand,
) {
  return (body: unknown): SaidCommand => {
    const said = parse(schema, body, 'Call');
    const { commandId = null, version } = said;
    return {
      command: toCommand(said),
      commandId,
      ...(version === undefined ? {} : { ifVersions: [version] }),
    };
  };
}

function word<Schema extends z.ZodType>(
  title: string,
  schema: Schema,
  toCommand: (taskId: string, said: z.output<Schema>) => TaskCommand,
): Word {
  return (taskId, body) => ({
    command: toCommand(taskId, parse(schema, body ?? {}, title)),
    commandId: null,
  });
}

function held<Said extends z.ZodType<Message>, Asked extends z.ZodType<Request>>(
  message: Said,
  request: Asked,
  toCommand: (hold: Hold, said: z.output<Said> | z.output<Asked>) => TaskCommand,
): HeldWord {
  return {
    ofMessage(agentId, item) {
      const said = parse(message, item, 'Command');
      const { taskId, attempt, epoch, commandId, traceparent, usage } = said;
      const hold = { taskId, fence: { agentId, attempt, epoch } };
      return { command: toCommand(hold, said), commandId, traceparent, used: usedIn(hold, usage) };
    },
    ofRequest(taskId, body) {
      const said = parse(request, body, 'Command');
      const { agentId, attempt, epoch, commandId = null, usage } = said;
      const hold = { taskId, fence: { agentId, attempt, epoch } };
      return { command: toCommand(hold, said), commandId, used: usedIn(hold, usage) };
    },
  };
}

function usedIn({ taskId, fence }: Hold, usage: Usage | undefined): SaidUsage | undefined {
  const { agentId, attempt } = fence;
  return usage && { agentId, taskId, attempt, usage };
}
