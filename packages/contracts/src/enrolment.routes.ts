import {
  createEnrolmentToken,
  enrolAgent,
  enrolmentTokenView,
  issueCredentials,
  issuedCredentials,
  listEnrolmentTokens,
  newEnrolmentToken,
} from './enrolment.js';
import { pageOf, type Route } from './route.js';
import { agentId, uuid } from './words.js';

/** How agents come by credentials of NATS. */
export const ENROLMENT_ROUTES = {
  createEnrolmentToken: {
    method: 'POST',
    path: '/v1/enrolment-tokens',
    tag: 'Administration',
    summary: 'Makes a token with which one agent can enrol itself, once',
    description:
      'The answer shows the token, and nothing shows it again: only its SHA-256 is kept. A repeated request makes another token.',
    body: createEnrolmentToken,
    answers: { 201: newEnrolmentToken },
    errors: [],
  },
  listEnrolmentTokens: {
    method: 'GET',
    path: '/v1/enrolment-tokens',
    tag: 'Administration',
    summary: 'Lists enrolment tokens, the newest first, never the tokens themselves',
    query: listEnrolmentTokens,
    answers: { 200: pageOf(enrolmentTokenView) },
    errors: [],
  },
  revokeEnrolmentToken: {
    method: 'DELETE',
    path: '/v1/enrolment-tokens/{id}',
    tag: 'Administration',
    summary: 'Revokes an enrolment token; credentials that it was exchanged for stay',
    params: { id: uuid },
    answers: { 204: null },
    errors: ['TOKEN_NOT_FOUND'],
  },
  enrolAgent: {
    method: 'POST',
    path: '/v1/enrolments',
    tag: 'Agents',
    summary: 'Exchanges an enrolment token for credentials of NATS; registers the agent where it is new',
    description:
      'Asks for no API key: the token is the proof. The agent makes a key pair and sends the public half. Of several requests with one token the first wins; repeated with the same key, as after an answer that was lost, it is answered again.',
    body: enrolAgent,
    answers: { 201: issuedCredentials },
    errors: ['ENROLMENT_REFUSED', 'NOT_CONFIGURED'],
    isPublic: true,
  },
  issueCredentials: {
    method: 'POST',
    path: '/v1/agents/{id}/credentials',
    tag: 'Agents',
    summary:
      'Makes credentials of NATS for a key of an agent, whose earlier ones stay valid until they expire',
    params: { id: agentId },
    body: issueCredentials,
    answers: { 201: issuedCredentials },
    errors: ['AGENT_NOT_FOUND', 'ENROLMENT_REFUSED', 'NOT_CONFIGURED'],
  },
} as const satisfies Readonly<Record<string, Route>>;
