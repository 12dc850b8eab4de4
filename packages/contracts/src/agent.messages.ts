import {
  control,
  goodbye,
  goodbyeAnswer,
  heartbeat,
  hello,
  helloAnswer,
  inboxAnswer,
  inboxDelivery,
  offerAnswer,
  offerAsSent,
} from './agent-protocol.js';
import { taskAnswer, taskCommands } from './agent-commands.js';
import { DELEGATION_ERRORS } from './delegation.js';
import type { ErrorCode } from './errors.js';
import { accepted, type Message } from './message.js';
import { agentSubject, type TaskVerb } from './subjects.js';

const AGENT = '{agentId}';

/** A process of an agent and Baton, about the process. */
export const SESSION_MESSAGES = {
  hello: {
    subject: agentSubject.hello(AGENT),
    group: 'session',
    from: 'agent',
    tells:
      'A request: a process of the agent is here, with what it can do and what it holds. The answer lists what it holds ' +
      'as an offer does, and more follow as offers when they do not fit. `inbox.count` says how many ends wait, the ' +
      'items among them; 1,001 stands for more than 1,000.',
    body: hello,
    answer: accepted(helloAnswer),
    errors: ['AGENT_NOT_FOUND', 'FORBIDDEN', 'STALE_SESSION'],
  },
  heartbeat: {
    subject: agentSubject.heartbeat(AGENT),
    group: 'session',
    from: 'agent',
    tells:
      'No answer, every `heartbeatMs`: `running` lists every task whose start was sent and whose end is unanswered. ' +
      'One in progress that two beats in a row leave out is taken from the agent, with control `revoke`.',
    body: heartbeat,
    errors: [],
  },
  goodbye: {
    subject: agentSubject.goodbye(AGENT),
    group: 'session',
    from: 'agent',
    tells:
      'A request: `drain` takes no new tasks from here to the end of the process, over reconnects; ' +
      '`leave` hands back all that is held.',
    body: goodbye,
    answer: accepted(goodbyeAnswer),
    errors: ['AGENT_NOT_FOUND', 'STALE_SESSION'],
  },
  offer: {
    subject: agentSubject.offer(AGENT),
    group: 'session',
    from: 'task-service',
    tells:
      'A request answered within 4 s. Idempotent; it means nothing until `start` is accepted. ' +
      'A process of another epoch ignores it.',
    body: offerAsSent,
    answer: offerAnswer,
    errors: [],
  },
  control: {
    subject: agentSubject.control(AGENT),
    group: 'session',
    from: 'task-service',
    alsoFrom: ['distribution-service'],
    tells: 'No answer: stop a task, drop one that was taken away, drain, or say hello again.',
    body: control,
    errors: [],
  },
  inbox: {
    subject: agentSubject.inbox(AGENT),
    group: 'session',
    from: 'task-service',
    tells: 'A request, repeated until acknowledged: tasks it created or waits for have ended.',
    body: inboxDelivery,
    answer: inboxAnswer,
    errors: [],
  },
} as const satisfies Readonly<Record<Exclude<keyof typeof agentSubject, 'task' | 'call'>, Message>>;

/** `agent.<id>.task.<verb>`. */
export const COMMAND_MESSAGES = {
  'task.start': command('start', 'The agent begins to work.'),
  'task.progress': command('progress', 'How far it is.'),
  'task.log': command('log', 'A line for the log of the task.', ['TOO_MANY_LOG_LINES']),
  'task.artifact': command(
    'artifact',
    'Where something is that the task made. One of the same name is replaced.',
    ['TOO_MANY_ARTIFACTS'],
  ),
  'task.checkpoint': command(
    'checkpoint',
    'How far it came, to go on from: the next attempt gets the latest with its offer. Null: nothing any more.',
  ),
  'task.complete': command('complete', 'Done, with a result.', ['INVALID_RESULT']),
  'task.fail': command(
    'fail',
    'It did not work out; tried again later when `retryable` and retries are left.',
  ),
  'task.return': command('return', 'Given back undone.'),
  'task.block': command(
    'block',
    'Its slot is given away until its children have ended, or somebody has answered a question.',
    ['DEPENDENCY_CYCLE'],
  ),
  'task.delegate': command(
    'delegate',
    'Handed over to another agent, along a connection.',
    DELEGATION_ERRORS,
  ),
} as const satisfies Readonly<Record<`task.${TaskVerb}`, Message>>;

function command(verb: TaskVerb, tells: string, own: readonly ErrorCode[] = []): Message {
  return {
    subject: agentSubject.task(AGENT, verb),
    group: 'command',
    from: 'agent',
    tells,
    body: taskCommands[verb],
    answer: accepted(taskAnswer),
    errors: ['TASK_NOT_FOUND', 'TASK_STATE_CONFLICT', 'STALE_ATTEMPT', 'STALE_SESSION', ...own],
  };
}
