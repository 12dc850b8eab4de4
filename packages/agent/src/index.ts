export { createAgent, type Agent } from './agent.js';
export { runAgent, type RunAgentOptions } from './run-agent.js';
export {
  BlockTask,
  ReturnTask,
  TaskAborted,
  TaskFailure,
  type AbortKind,
  type ReturnReason,
} from './errors.js';
export type { AgentOptions } from './options.js';
export type { CredentialsSource } from './credentials.js';
export type { StopOptions } from './leave.js';
export type {
  Answer,
  Create,
  CreateOptions,
  LinkOptions,
  TaskQuery,
  UpdateOptions,
  WaitOptions,
} from './call-options.js';
export type { HandedOn, TaskContext, TaskHandler } from './context.js';
export type { EndListener } from './inbox.js';
export type { AgentLogger } from './logger.js';
export { DomainError } from '@baton/contracts';
export type {
  Artifact,
  Block,
  ChildResult,
  ConnectedAgent,
  CreatedTask,
  CreateGraphInput,
  CreateTaskInput,
  DecisionView,
  DependencyResult,
  InboxItem,
  LogLevel,
  OfferedTask,
  PatchTaskInput,
  PreviousAttempt,
  ReopenTaskInput,
  TaskDetail,
  Usage,
  TaskHistoryEntry,
  TaskListItem,
  TaskPage,
  TaskSort,
  TaskQuestion,
} from '@baton/contracts';
