import { z } from 'zod';
import { agentView, connection, connectionView, listAgents, registerAgent } from './agent.js';
import { pageOf, type Route } from './route.js';
import { agentId } from './words.js';

const params = { id: agentId };
const pair = { id: agentId, other: agentId };

export const AGENT_ROUTES = {
  registerAgent: {
    method: 'POST',
    path: '/v1/agents',
    tag: 'Agents',
    summary: 'Registers an agent',
    body: registerAgent,
    answers: { 201: agentView },
    answerHeaders: ['Location'],
    errors: ['AGENT_EXISTS'],
  },
  listAgents: {
    method: 'GET',
    path: '/v1/agents',
    tag: 'Agents',
    summary: 'Lists agents by id; available ones are online with a free slot',
    query: listAgents,
    answers: { 200: pageOf(agentView) },
    errors: [],
  },
  getAgent: {
    method: 'GET',
    path: '/v1/agents/{id}',
    tag: 'Agents',
    summary: 'Reads an agent with its workload',
    params,
    answers: { 200: agentView },
    errors: ['AGENT_NOT_FOUND'],
  },
  listConnections: {
    method: 'GET',
    path: '/v1/agents/{id}/connections',
    tag: 'Agents',
    summary: 'Lists the connections of an agent, both ways',
    params,
    answers: { 200: z.object({ data: z.array(connectionView) }) },
    errors: ['AGENT_NOT_FOUND'],
  },
  connectAgents: {
    method: 'PUT',
    path: '/v1/agents/{id}/connections/{other}',
    tag: 'Agents',
    summary:
      'Connects two agents, or changes how strongly: raises the score of the other for tasks of the first',
    params: pair,
    body: connection.optional(),
    answers: { 200: connectionView },
    errors: ['AGENT_NOT_FOUND'],
  },
  disconnectAgents: {
    method: 'DELETE',
    path: '/v1/agents/{id}/connections/{other}',
    tag: 'Agents',
    summary: 'Removes a connection',
    params: pair,
    answers: { 204: null },
    errors: ['CONNECTION_NOT_FOUND'],
  },
} as const satisfies Readonly<Record<string, Route>>;
