/** Hard limits, checked at every edge before anything else looks at the input. Sizes are UTF-8 bytes unless said. */
export const LIMITS = {
  titleCharacters: 255,
  descriptionBytes: 64 * 1024,
  payloadBytes: 256 * 1024,
  httpBodyBytes: 8 * 1024 * 1024,
  /** Body of `POST /v1/tasks/batch`: 1,000 descriptions as long as may be, and 8 KiB beside each. */
  batchBodyBytes: 1_000 * (64 + 8) * 1024,
  agentMessageBytes: 256 * 1024,
  /** What a nats-server must at least take as one message (`max_payload`): events, answers with payloads. */
  serverPayloadBytes: 2 * 1024 * 1024,
  jsonDepth: 32,
  tags: 64,
  capabilities: 32,
  answerBytes: 64 * 1024,
  dependencies: 1_000,
  batchTasks: 1_000,
  graphTasks: 10_000,
  graphDependencies: 50_000,
  /** Registered task types, and the bytes of each of their schemas. */
  taskTypes: 1_000,
  schemaBytes: 64 * 1024,
  /** Policies somebody put. */
  policies: 100,
  agentItems: 500,
  childrenPerTask: 100,
  treeDepth: 16,
  /** Agents that handed one task on. */
  delegationChain: 8,
  /** Of one task: lines of its log, characters of a line, artifacts. */
  logLines: 2_000,
  logCharacters: 2_000,
  artifacts: 64,
  urlCharacters: 1_024,
  listPage: 200,
  /** Unacknowledged ends of an agent are counted up to here; one more stands for all beyond. */
  inboxCounted: 1_000,
  queryCharacters: 1_000,
  filterTerms: 32,
  filterValues: 8,
} as const;

/** Defaults of the domain; durations in seconds unless the name says otherwise. */
export const DEFAULTS = {
  priority: 3,
  taskType: 'task',
  maxRetries: 3,
  maxConcurrent: 5,
  prefetch: 0,
  heartbeatMs: 2_000,
  expireMs: 6_000,
  startTimeout: 60,
  /** How long a task waits for one agent that has no room, before it goes on elsewhere. */
  pinTimeout: 300,
  /** Spacing of repeated offers of an assignment nobody answered: the first repeat, doubled each time. */
  offerAgainMs: 2_000,
  /** Offers without an answer before the assignment expires. */
  offerTries: 3,
  /** An accepted assignment that is not started by then may go to an idle agent; looked at again as often. */
  stealAfterMs: 30_000,
  /** Assignments in a row without a start before a task fails `undeliverable`. */
  maxHandovers: 10,
  /** Holders lost while working before a task fails `agent_lost`. */
  maxLost: 5,
  /** Beats a task is in progress for before one that no beat lists counts as forgotten by its agent. */
  forgottenAfterBeats: 3,
  /** How long an agent that failed, lost or did not answer for a task is passed over for it. */
  skipAgentMs: 60_000,
  retryPolicy: { kind: 'exponential', baseSeconds: 2, capSeconds: 300, jitter: true },
} as const;

/** Added to `firstQueuedAt` to give `queueKey`: seconds a task of each priority stands behind a critical one. */
export const PRIORITY_OFFSET_SECONDS: Readonly<Record<1 | 2 | 3 | 4 | 5, number>> = {
  1: 0,
  2: 60,
  3: 300,
  4: 900,
  5: 3_600,
};
