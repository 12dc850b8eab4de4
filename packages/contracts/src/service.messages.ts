import { authCheckAnswer, authCheckRequest } from './auth-check.js';
import { bestAnswer, bestRequest } from './agent-queue.js';
import { choiceAnswer, choiceRequest } from './choice.js';
import { itemsOf, type Message } from './message.js';
import {
  assigned,
  assignRequest,
  backlogAnswer,
  backlogRequest,
  expired,
  expireRequest,
  explainAnswer,
  explainRequest,
  fleetEntry,
  forgotten,
  forgottenRequest,
  leaseAnswer,
  leaseRequest,
  placeAnswer,
  placeRequest,
  slotsHint,
  snapshotAnswer,
  snapshotRequest,
} from './service-protocol.js';
import { eventsAnswer, eventsRequest } from './event-history.js';
import { policyEntry } from './policy.js';
import { usageHint } from './usage.js';
import {
  HINT_SUBJECTS,
  placeSubject,
  SERVICE_SUBJECTS,
  taskFeedSubject,
  taskProgressSubject,
} from './subjects.js';
import { taskFeed, taskProgress } from './task-watch.js';
import { typesHint } from './task-type.js';

const toTaskService = { group: 'service', from: 'distribution-service' } as const;
const hint = { group: 'hint', from: 'task-service', errors: [] } as const;

/** Between services. The answer of a batch has one for each item; `errors` are those of items. */
export const SERVICE_MESSAGES = {
  assign: {
    ...toTaskService,
    subject: SERVICE_SUBJECTS.assign,
    tells: 'Bind tasks to agents. A lost race is an ordinary refusal of its item.',
    body: assignRequest,
    answer: itemsOf(assigned),
    errors: [
      'TASK_NOT_FOUND',
      'AGENT_NOT_FOUND',
      'TASK_STATE_CONFLICT',
      'VERSION_MISMATCH',
      'AGENT_AT_CAPACITY',
      'AGENT_NOT_ONLINE',
      'STALE_SHARD',
      'PAUSED',
      'TYPE_AT_CAPACITY',
    ],
  },
  backlog: {
    ...toTaskService,
    subject: SERVICE_SUBJECTS.backlog,
    tells: 'The best queued tasks of the classes named, and which classes there are.',
    body: backlogRequest,
    answer: backlogAnswer,
    errors: [],
  },
  snapshot: {
    ...toTaskService,
    alsoFrom: ['metrics-service'],
    subject: SERVICE_SUBJECTS.snapshot,
    tells: 'Agents with what they hold, by id, a page at a time, or just those named.',
    body: snapshotRequest,
    answer: snapshotAnswer,
    errors: [],
  },
  expire: {
    ...toTaskService,
    subject: SERVICE_SUBJECTS.expire,
    tells: 'These epochs of agents fell silent.',
    body: expireRequest,
    answer: itemsOf(expired),
    errors: ['AGENT_NOT_FOUND', 'STALE_SHARD'],
  },
  forgotten: {
    ...toTaskService,
    subject: SERVICE_SUBJECTS.forgotten,
    tells:
      'Take tasks in progress from agents whose last two beats did not list them. A task that changed since it had ' +
      'this version, or began less than three beats ago, is an ordinary refusal of its item.',
    body: forgottenRequest,
    answer: itemsOf(forgotten),
    errors: ['TASK_NOT_FOUND', 'TASK_STATE_CONFLICT', 'STALE_ATTEMPT', 'STALE_SESSION'],
  },
  events: {
    group: 'service',
    from: 'metrics-service',
    subject: SERVICE_SUBJECTS.events,
    tells:
      'The events of the history behind a cursor, archived ones too: by task, or in an order of commits in which ' +
      'nothing committed late is ever passed. A page ends at 512 KiB.',
    body: eventsRequest,
    answer: eventsAnswer,
    errors: [],
  },
  lease: {
    ...toTaskService,
    subject: SERVICE_SUBJECTS.lease,
    tells:
      'A distributor lives, wants its share of the shards for another while, and gives back those it is asked to. ' +
      'The shard of an agent is FNV-1a (32 bit) of its id, modulo 64.',
    body: leaseRequest,
    answer: leaseAnswer,
    errors: [],
  },
  check: {
    group: 'service',
    from: 'metrics-service',
    subject: SERVICE_SUBJECTS.check,
    tells:
      'Whom does this API key or token stand for now? Whoever asks may keep the answer for 4 seconds, so that what is revoked is taken nowhere 5 seconds later.',
    body: authCheckRequest,
    answer: authCheckAnswer,
    errors: [],
  },
  place: {
    ...toTaskService,
    subject: placeSubject('{shard}'),
    tells:
      'A distributor has no room for these tasks: the owner of the shard tries each once among its own agents. ' +
      'Never passed on again.',
    body: placeRequest,
    answer: placeAnswer,
    errors: [],
  },
  choose: {
    group: 'service',
    from: 'task-service',
    subject: SERVICE_SUBJECTS.choose,
    tells: 'Who is to get this queued task now? Whoever asks binds it, under lock.',
    body: choiceRequest,
    answer: choiceAnswer,
    errors: ['UNAVAILABLE'],
  },
  simulate: {
    group: 'service',
    from: 'task-service',
    subject: SERVICE_SUBJECTS.simulate,
    tells: 'Who would get such a task if it was ready now? It need not exist.',
    body: choiceRequest,
    answer: choiceAnswer,
    errors: ['UNAVAILABLE'],
  },
  explain: {
    group: 'service',
    from: 'task-service',
    subject: SERVICE_SUBJECTS.explain,
    tells: 'Why would this queued task wait now?',
    body: explainRequest,
    answer: explainAnswer,
    errors: ['UNAVAILABLE'],
  },
  best: {
    group: 'service',
    from: 'task-service',
    subject: SERVICE_SUBJECTS.best,
    tells: 'For which of these queued tasks is this agent the best, full or not?',
    body: bestRequest,
    answer: bestAnswer,
    errors: ['UNAVAILABLE'],
  },
  fleet: {
    ...hint,
    subject: HINT_SUBJECTS.fleet,
    tells: 'One agent changed. Loss is healed by snapshots.',
    body: fleetEntry,
  },
  slots: {
    ...hint,
    subject: HINT_SUBJECTS.slots,
    tells: 'Tasks began or ceased to be held; `version` tells the newer of two. Loss is healed by snapshots.',
    body: slotsHint,
  },
  usage: {
    ...hint,
    subject: HINT_SUBJECTS.usage,
    tells:
      'Attempts used up more: their sums so far. `hasBudget`: so has their tree, which a replica looks at. ' +
      'Loss is healed by the reconciler.',
    body: usageHint,
  },
  feed: {
    ...hint,
    subject: taskFeedSubject('{taskId}'),
    tells:
      'A task is at another version. Whoever watches it reads what that is; loss is healed by reading now and then.',
    body: taskFeed,
  },
  progress: {
    ...hint,
    subject: taskProgressSubject('{taskId}'),
    tells: 'How far an attempt says it is. Unversioned, and latest wins.',
    body: taskProgress,
  },
  types: {
    ...hint,
    subject: HINT_SUBJECTS.types,
    tells:
      'Task types or the pause changed (`changed`), or so many tasks of types of limited concurrency are held no more (`room`). Loss is healed by `svc.task.backlog`, whose answer tells what is held back.',
    body: typesHint,
  },
  policy: {
    ...hint,
    subject: HINT_SUBJECTS.policy,
    tells: 'Somebody put a policy. Loss is healed by snapshots.',
    body: policyEntry,
  },
} as const satisfies Readonly<
  Record<
    | keyof typeof SERVICE_SUBJECTS
    | 'place'
    | 'fleet'
    | 'slots'
    | 'usage'
    | 'types'
    | 'policy'
    | 'feed'
    | 'progress',
    Message
  >
>;
