import { agentView, patchAgent } from './agent.js';
import { inboxItem } from './agent-protocol.js';
import { auditEntry, listAudit } from './audit.js';
import { pageOf, type Route } from './route.js';
import { agentTasks, taskPage } from './task-list.js';
import { agentId } from './words.js';
import { listRelatives } from './workflow.js';

const ofAgent = { tag: 'Agents', params: { id: agentId } } as const;

/** What is kept of agents, and of what everybody did. */
export const RECORD_ROUTES = {
  patchAgent: {
    ...ofAgent,
    method: 'PATCH',
    path: '/v1/agents/{id}',
    summary: 'Changes what is kept of an agent',
    description:
      'Capabilities, capacity and labels hold until the agent announces its own, with its next hello. Other beats have it say hello at once.',
    body: patchAgent,
    answers: { 200: agentView },
    errors: ['AGENT_NOT_FOUND'],
  },
  removeAgent: {
    ...ofAgent,
    method: 'DELETE',
    path: '/v1/agents/{id}',
    summary: 'Removes an agent for good; what it holds and what waits for it goes back into the queue',
    description: 'Its id is never given to another agent. A process of it that is still there is refused.',
    answers: { 204: null },
    errors: ['AGENT_NOT_FOUND'],
  },
  listAgentTasks: {
    ...ofAgent,
    method: 'GET',
    path: '/v1/agents/{id}/tasks',
    summary: 'Lists the tasks an agent has or had last, as `GET /v1/tasks?agent=`',
    query: agentTasks,
    answers: { 200: taskPage },
    errors: ['AGENT_NOT_FOUND', 'QUERY_NOT_SUPPORTED'],
  },
  readAgentInbox: {
    ...ofAgent,
    method: 'GET',
    path: '/v1/agents/{id}/inbox',
    summary: 'Lists what an agent was to hear and has not acknowledged, oldest first',
    query: listRelatives,
    answers: { 200: pageOf(inboxItem) },
    errors: ['AGENT_NOT_FOUND'],
  },
  listAudit: {
    method: 'GET',
    path: '/v1/audit',
    tag: 'Administration',
    summary: 'Lists what was refused and what operators and agents did beside changes of tasks, newest first',
    query: listAudit,
    answers: { 200: pageOf(auditEntry) },
    errors: [],
  },
} as const satisfies Readonly<Record<string, Route>>;
