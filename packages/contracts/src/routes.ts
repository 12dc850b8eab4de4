import { AGENT_OPERATION_ROUTES } from './agent-operation.routes.js';
import { RECORD_ROUTES } from './agent-record.routes.js';
import { AGENT_ROUTES } from './agent.routes.js';
import { COMMAND_ROUTES } from './command.routes.js';
import { DOCUMENT_ROUTES } from './document.routes.js';
import { ENROLMENT_ROUTES } from './enrolment.routes.js';
import { KEY_ROUTES } from './key.routes.js';
import { OPERATION_ROUTES } from './operation.routes.js';
import { POLICY_ROUTES } from './policy.routes.js';
import type { Route } from './route.js';
import { TASK_ROUTES } from './task.routes.js';
import { TYPE_ROUTES } from './task-type.routes.js';
import { WORKFLOW_ROUTES } from './workflow.routes.js';

/** The one registry of the REST API: every operation of task-service by its operation id. */
export const ROUTES = {
  ...TASK_ROUTES,
  ...COMMAND_ROUTES,
  ...WORKFLOW_ROUTES,
  ...OPERATION_ROUTES,
  ...AGENT_ROUTES,
  ...DOCUMENT_ROUTES,
  ...AGENT_OPERATION_ROUTES,
  ...RECORD_ROUTES,
  ...TYPE_ROUTES,
  ...POLICY_ROUTES,
  ...KEY_ROUTES,
  ...ENROLMENT_ROUTES,
} as const satisfies Readonly<Record<string, Route>>;
