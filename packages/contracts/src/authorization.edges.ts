import type { COMMAND_MESSAGES, SESSION_MESSAGES } from './agent.messages.js';
import type { Action } from './authorization.js';
import type { CALL_MESSAGES } from './call.messages.js';
import { MESSAGES } from './messages.js';
import { METRICS_ROUTES } from './metrics.routes.js';
import type { Route } from './route.js';
import { ROUTES } from './routes.js';
import type { SERVICE_MESSAGES } from './service.messages.js';

/** What each route does, as the table of access names it: a route without an entry does not start. */
export const ROUTE_ACTIONS = {
  createTask: 'task.submit',
  createBatch: 'task.submit',
  createGraph: 'task.submit',
  spawnTasks: 'task.spawn',
  listTasks: 'task.list',
  countTasks: 'task.count',
  getTask: 'task.read',
  readHistory: 'task.read',
  readLogs: 'task.read',
  readEvents: 'task.read',
  readDecision: 'task.read',
  listDependencies: 'task.relatives',
  listSubtasks: 'task.relatives',
  readTree: 'task.relatives',
  readTrace: 'task.relatives',
  replaceTask: 'task.update',
  patchTask: 'task.update',
  deleteTask: 'task.delete',
  releaseTask: 'task.release',
  cancelTask: 'task.cancel',
  reopenTask: 'task.reopen',
  retryTask: 'task.reopen',
  startTask: 'task.start',
  progressTask: 'task.progress',
  completeTask: 'task.complete',
  failTask: 'task.fail',
  blockTask: 'task.block',
  answerTask: 'task.answer',
  unblockTask: 'task.unblock',
  returnTask: 'task.return',
  delegateTask: 'task.delegate',
  assignTask: 'task.assign',
  autoAssignTask: 'task.assign',
  simulateTask: 'task.submit',
  reassignTask: 'task.reassign',
  linkTask: 'task.link',
  unlinkTask: 'task.unlink',
  createOperation: 'operation.manage',
  getOperation: 'operation.read',
  cancelOperation: 'operation.manage',
  registerAgent: 'agent.manage',
  listAgents: 'agent.read',
  getAgent: 'agent.read',
  listConnections: 'agent.read',
  connectAgents: 'agent.manage',
  disconnectAgents: 'agent.manage',
  drainAgent: 'agent.manage',
  resumeAgent: 'agent.manage',
  redistributeAgent: 'agent.manage',
  readWorkload: 'agent.read',
  readAgentQueue: 'agent.read',
  patchAgent: 'agent.manage',
  removeAgent: 'agent.manage',
  listAgentTasks: 'agent.read',
  readAgentInbox: 'agent.read',
  listAudit: 'audit.read',
  putType: 'type.manage',
  listTypes: 'type.read',
  getType: 'type.read',
  deleteType: 'type.manage',
  putPolicy: 'policy.manage',
  listPolicies: 'policy.read',
  getPolicy: 'policy.read',
  pauseAll: 'pause.manage',
  resumeAll: 'pause.manage',
  readPause: 'pause.read',
  createKey: 'key.manage',
  listKeys: 'key.manage',
  revokeKey: 'key.manage',
  createEnrolmentToken: 'agent.manage',
  listEnrolmentTokens: 'agent.read',
  revokeEnrolmentToken: 'agent.manage',
  enrolAgent: 'agent.enrol',
  issueCredentials: 'agent.manage',
  readOpenApi: 'document.read',
  readAsyncApi: 'document.read',
  readDocs: 'document.read',
} as const satisfies Readonly<Record<keyof typeof ROUTES, Action>>;

/** The same for what metrics-service serves. */
export const METRICS_ROUTE_ACTIONS = {
  taskMetrics: 'metrics.read',
  agentsMetrics: 'metrics.read',
  agentMetrics: 'metrics.read',
  delegationMetrics: 'metrics.read',
  systemMetrics: 'metrics.read',
  liveStream: 'metrics.read',
} as const satisfies Readonly<Record<keyof typeof METRICS_ROUTES, Action>>;

/** What each message says or asks. */
const AGENT_ACTIONS = {
  hello: 'agent.live',
  heartbeat: 'agent.live',
  goodbye: 'agent.live',
  offer: 'agent.told',
  control: 'agent.told',
  inbox: 'agent.told',
  'task.start': 'task.start',
  'task.progress': 'task.progress',
  'task.log': 'task.log',
  'task.artifact': 'task.artifact',
  'task.checkpoint': 'task.checkpoint',
  'task.complete': 'task.complete',
  'task.fail': 'task.fail',
  'task.return': 'task.return',
  'task.block': 'task.block',
  'task.delegate': 'task.delegate',
  'call.create': 'task.create',
  'call.spawn': 'task.spawn',
  'call.get': 'task.read',
  'call.list': 'task.list',
  'call.wait': 'task.read',
  'call.history': 'task.read',
  'call.decision': 'task.read',
  'call.update': 'task.update',
  'call.release': 'task.release',
  'call.link': 'task.link',
  'call.unlink': 'task.unlink',
  'call.unblock': 'task.unblock',
  'call.reopen': 'task.reopen',
  'call.delete': 'task.delete',
  'call.cancel': 'task.cancel',
  'call.answer': 'task.answer',
  'call.agents': 'agent.connected',
  'call.inbox': 'agent.inbox',
  'call.ack': 'agent.inbox',
  'call.renew': 'agent.renew',
} as const satisfies Readonly<
  Record<keyof typeof SESSION_MESSAGES | keyof typeof COMMAND_MESSAGES | keyof typeof CALL_MESSAGES, Action>
>;

const SERVICE_ACTIONS = {
  assign: 'task.assign',
  forgotten: 'task.forget',
  backlog: 'service.ask',
  snapshot: 'service.ask',
  expire: 'service.ask',
  lease: 'service.ask',
  check: 'service.ask',
  events: 'service.ask',
  place: 'service.ask',
  choose: 'service.ask',
  simulate: 'service.ask',
  explain: 'service.ask',
  best: 'service.ask',
  fleet: 'service.ask',
  slots: 'service.ask',
  usage: 'service.ask',
  feed: 'service.ask',
  progress: 'service.ask',
  types: 'service.ask',
  policy: 'service.ask',
} as const satisfies Readonly<Record<keyof typeof SERVICE_MESSAGES, Action>>;

/** What the messages of `MESSAGES` do, by the same names: what has no entry is not listened to. */
export const MESSAGE_ACTIONS: Readonly<Record<string, Action>> = {
  ...Object.fromEntries(Object.entries(AGENT_ACTIONS).map(([name, action]) => [`agent/${name}`, action])),
  ...Object.fromEntries(Object.entries(SERVICE_ACTIONS).map(([name, action]) => [`service/${name}`, action])),
};

/** What a route does, by its method and its path as `ROUTES` writes it; throws where the table has no entry. */
export function actionOfRoute(method: string, path: string): Action {
  const action = ACTIONS_BY_ROUTE.get(`${method} ${path}`);
  if (action !== undefined) return action;
  throw new Error(
    `${method} ${path} has no entry in ROUTE_ACTIONS (authorization.edges.ts): it cannot be served`,
  );
}

/** What a subject asks for (`*` for its parts that vary); throws where the table has no entry. */
export function actionOfSubject(subject: string): Action {
  const action = ACTIONS_BY_SUBJECT.get(subject);
  if (action !== undefined) return action;
  throw new Error(`${subject} has no entry in authorization.edges.ts: nothing may listen to it`);
}

const ACTIONS_BY_ROUTE: ReadonlyMap<string, Action> = new Map([
  ...byRoute(ROUTES, ROUTE_ACTIONS),
  ...byRoute(METRICS_ROUTES, METRICS_ROUTE_ACTIONS),
]);
const ACTIONS_BY_SUBJECT: ReadonlyMap<string, Action> = new Map(
  Object.entries(MESSAGES).flatMap(([name, { subject }]) => {
    const action = MESSAGE_ACTIONS[name];
    return action === undefined ? [] : [[subject.replace(/\{\w+\}/g, '*'), action] as const];
  }),
);

function byRoute<Id extends string>(
  routes: Readonly<Record<Id, Route>>,
  actions: Readonly<Record<Id, Action>>,
): readonly (readonly [string, Action])[] {
  return (Object.keys(routes) as Id[]).map((id) => [`${routes[id].method} ${routes[id].path}`, actions[id]]);
}
