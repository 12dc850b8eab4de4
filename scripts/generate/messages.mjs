/**
 * What every message is for. The schema and the example of each are in its golden fixture,
 * `packages/contracts/fixtures/<name>.json`; answers without a schema of their own are said in words.
 */
export const agentMessages = [
  {
    name: 'agent/hello',
    title: 'hello',
    tells: 'Agent → Baton, a request: a process of the agent is here, with what it can do and what it holds.',
    answer:
      '`{ok, epoch, heartbeatMs, expireMs, assignments[], inbox: {count, items[]}, connections[]: {to, strength}}`; ' +
      'assignments are as in an offer, and more of them follow as offers when they do not fit. `inbox.count` says how many ends wait, the items among ' +
      'them; 1,001 stands for more than 1,000.',
  },
  {
    name: 'agent/heartbeat',
    title: 'heartbeat',
    tells:
      'Agent → Baton, no answer, every `heartbeatMs`: `running` lists every task whose start was sent and whose end is unanswered. ' +
      'One in progress that two beats in a row leave out is taken from the agent, with control `revoke`.',
  },
  {
    name: 'agent/goodbye',
    title: 'goodbye',
    tells:
      'Agent → Baton, a request: `drain` takes no new tasks from here to the end of the process, over reconnects; ' +
      '`leave` hands back all that is held.',
    answer: '`{ok, status}` with `draining` or `offline`.',
  },
  {
    name: 'agent/offer',
    title: 'offer',
    tells:
      'Baton → agent, a request answered within 4 s. Idempotent; it means nothing until `start` is accepted. ' +
      'A process of another epoch ignores it.',
    answerName: 'agent/offer.answer',
  },
  {
    name: 'agent/control',
    title: 'control',
    tells: 'Baton → agent, no answer: stop a task, drop one that was taken away, drain, or say hello again.',
  },
  {
    name: 'agent/inbox',
    title: 'inbox',
    tells: 'Baton → agent, a request, repeated until acknowledged: tasks it created or waits for have ended.',
    answerName: 'agent/inbox.answer',
  },
];

const taskAnswer = '`{ok, taskId, status, attempt, version}`, sent after the change is committed.';
export const taskMessages = [
  { name: 'agent/task.start', title: 'task.start', tells: 'The agent begins to work.', answer: taskAnswer },
  { name: 'agent/task.progress', title: 'task.progress', tells: 'How far it is.', answer: taskAnswer },
  { name: 'agent/task.complete', title: 'task.complete', tells: 'Done, with a result.', answer: taskAnswer },
  {
    name: 'agent/task.fail',
    title: 'task.fail',
    tells: 'It did not work out; tried again later when `retryable` and retries are left.',
    answer: taskAnswer,
  },
  { name: 'agent/task.return', title: 'task.return', tells: 'Given back undone.', answer: taskAnswer },
  {
    name: 'agent/task.items',
    title: 'Several at once',
    tells: 'Any of the above subjects takes several commands of its verb in one message.',
    answer: '`{ok, items[]}`, one answer for each command, in the same order.',
  },
];

export const callMessages = [
  {
    name: 'agent/call.create',
    title: 'call.create',
    tells: 'Create one task, many, or a graph: all or nothing. Exactly one of `task`, `tasks`, `graph`.',
    answer:
      '`{ok, tasks[]: {id, ref?, status, version}, replayed?}`; `replayed` when the idempotency key was used before.',
  },
  {
    name: 'agent/call.spawn',
    title: 'call.spawn',
    tells: 'Create children of a task the agent holds, checked by the fence of its own hold on it.',
    answer: 'As for `call.create`.',
  },
  { name: 'agent/call.get', title: 'call.get', tells: 'Read a task.', answer: '`{ok, task}`.' },
  {
    name: 'agent/call.list',
    title: 'call.list',
    tells:
      'List tasks the agent created or had last; with `parent:` or `root:` in `q`, all below a task it holds. ' +
      '`q` and `sort` are those of [lists](lists.md).',
    answer:
      '`{ok, data[], page: {next, hasMore}}`, without payloads; `next` is the `cursor` of the next page. A page may be ' +
      'short or empty and the list go on.',
  },
  {
    name: 'agent/call.release',
    title: 'call.release',
    tells: 'Let a task go on that its creator held back.',
    answer: taskAnswer,
  },
  {
    name: 'agent/call.cancel',
    title: 'call.cancel',
    tells: 'Cancel a task the agent created, or below one it holds.',
    answer: taskAnswer,
  },
  {
    name: 'agent/call.inbox',
    title: 'call.inbox',
    tells: 'Read the unacknowledged ends.',
    answer: '`{ok, count, items[]}`; a `count` of 1,001 stands for more than 1,000.',
  },
  {
    name: 'agent/call.ack',
    title: 'call.ack',
    tells: 'Acknowledge ends.',
    answer: '`{ok, acknowledged}`, how many were.',
  },
];

const items = '`{items[]}`: for each item, in the same order, `{ok: true, …}` or `{ok: false, error}`';
export const serviceMessages = [
  {
    name: 'service/assign',
    tells: 'Bind tasks to agents. A lost race is an ordinary refusal of its item.',
    answer: `${items}, with \`taskId\`, \`attempt\`, \`version\`.`,
  },
  {
    name: 'service/backlog',
    tells: 'The best queued tasks of the classes named, and which classes there are.',
    answerName: 'service/backlog.answer',
  },
  {
    name: 'service/snapshot',
    tells: 'Agents with what they hold, by id, a page at a time, or just those named.',
    answerName: 'service/snapshot.answer',
  },
  {
    name: 'service/expire',
    tells: 'These epochs of agents fell silent.',
    answer: `${items}, with \`agentId\`, \`expired\`.`,
  },
  {
    name: 'service/forgotten',
    tells:
      'Take tasks in progress from agents whose last two beats did not list them. A task that changed since it had ' +
      'this version, or began less than three beats ago, is an ordinary refusal of its item.',
    answer: `${items}, with \`taskId\`, \`version\`.`,
  },
  {
    name: 'service/lease',
    tells:
      'A distributor lives, wants its share of the shards for another while, and gives back those it is asked to. The shard of an agent is FNV-1a (32 bit) of its id, modulo 64.',
    answerName: 'service/lease.answer',
  },
  {
    name: 'service/place',
    tells:
      'A distributor has no room for these tasks: the owner of the shard tries each once among its own agents. Never passed on again.',
    answerName: 'service/place.answer',
  },
  {
    name: 'service/explain',
    tells: 'Why would this queued task wait now?',
    answerName: 'service/explain.answer',
  },
];

export const hintMessages = [
  { name: 'service/fleet', tells: 'One agent changed. Loss is healed by snapshots.' },
  {
    name: 'service/slots',
    tells: 'Tasks began or ceased to be held; `version` tells the newer of two. Loss is healed by snapshots.',
  },
];
