import { agentView } from './agent.js';
import { agentQueue, redistributed, workloadView } from './agent-queue.js';
import type { Route } from './route.js';
import { agentId } from './words.js';

const ofAgent = { tag: 'Agents', params: { id: agentId }, errors: ['AGENT_NOT_FOUND'] } as const;

export const AGENT_OPERATION_ROUTES = {
  drainAgent: {
    ...ofAgent,
    method: 'POST',
    path: '/v1/agents/{id}/drain',
    summary:
      'Gives an agent nothing more, whichever of its processes comes; what it has not begun goes elsewhere',
    answers: { 200: agentView },
  },
  resumeAgent: {
    ...ofAgent,
    method: 'POST',
    path: '/v1/agents/{id}/resume',
    summary: 'Lets a drained agent have tasks again',
    answers: { 200: agentView },
  },
  redistributeAgent: {
    ...ofAgent,
    method: 'POST',
    path: '/v1/agents/{id}/redistribute',
    summary: 'Puts back into the queue what an agent has not begun and what waits for it alone',
    answers: { 200: redistributed },
  },
  readWorkload: {
    ...ofAgent,
    method: 'GET',
    path: '/v1/agents/{id}/workload',
    summary: 'Says how much an agent has to do, and how much it has done',
    answers: { 200: workloadView },
  },
  readAgentQueue: {
    ...ofAgent,
    method: 'GET',
    path: '/v1/agents/{id}/queue',
    summary:
      'Lists what an agent works on, what it is to begin, what waits for it, and what would go to it now',
    answers: { 200: agentQueue },
  },
} as const satisfies Readonly<Record<string, Route>>;
