import {
  ACCESS,
  mayDo,
  MESSAGE_ACTIONS,
  MESSAGES,
  METRICS_ROUTE_ACTIONS,
  METRICS_ROUTES,
  RELATIONS,
  ROLES,
  ROUTE_ACTIONS,
  ROUTES,
} from '../../packages/contracts/dist/index.js';
import { code, generatedNote, table } from './markdown.mjs';

const routes = { ...ROUTES, ...METRICS_ROUTES };
const people = ROLES.filter((role) => role !== 'agent');

/** `docs/authorization.md`: who may do what, from the table both edges ask. */
export function renderAuthorization() {
  const actions = Object.keys(ACCESS);
  const rows = actions.map((action) => [
    code(action),
    ...people.map((role) => mark(mayDo(action, role))),
    agentsOf(action),
    ACCESS[action].parts?.join(', ') ?? '',
  ]);
  const uses = actions.map((action) => [
    code(action),
    Object.entries({ ...ROUTE_ACTIONS, ...METRICS_ROUTE_ACTIONS })
      .filter(([, used]) => used === action)
      .map(([id]) => code(`${routes[id].method} ${routes[id].path}`))
      .join(', '),
    Object.entries(MESSAGE_ACTIONS)
      .filter(([, used]) => used === action)
      .map(([name]) => code(MESSAGES[name].subject))
      .join(', '),
  ]);
  return `${generatedNote('packages/contracts/src/authorization.ts')}

# Who may do what

One table, asked by both edges: a route or a subject without an entry in it does not start. People are ${people.join(', ')}:
each role may also do what the next one may. An agent is who the subject says it is on which the server let it publish;
what it may do with a task hangs on how it is related to the task, and a task it is not related to does not exist for
it: \`TASK_NOT_FOUND\`. Otherwise, what is not allowed is refused with \`FORBIDDEN\`.

${table(
  ['Relation', 'The agent'],
  Object.entries(RELATIONS).map(([relation, words]) => [code(relation), words]),
)}

\`holder\` is decided under the task's lock, by attempt and epoch: a word of anybody else is refused as stale.

${table(['Action', ...people, 'Agents', "Baton's parts"], rows)}

## What routes and subjects do

${table(['Action', 'Routes', 'Subjects'], uses)}
`;
}

function agentsOf(action) {
  const { agents, isPublic } = ACCESS[action];
  if (isPublic) return 'yes';
  if (agents === undefined) return '';
  return agents === 'itself' ? 'for themselves' : agents.map(code).join(', ');
}

function mark(allowed) {
  return allowed ? 'yes' : '';
}
