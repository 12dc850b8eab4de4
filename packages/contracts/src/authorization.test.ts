import { describe, expect, it } from '@jest/globals';
import { ACCESS, mayDo, RELATIONS, ROLES, type Access, type Action, type Relation } from './authorization.js';
import { actionOfRoute, actionOfSubject, MESSAGE_ACTIONS, ROUTE_ACTIONS } from './authorization.edges.js';
import { MESSAGES } from './messages.js';
import type { Route } from './route.js';
import { ROUTES } from './routes.js';

const actions = Object.keys(ACCESS) as Action[];
const relations = Object.keys(RELATIONS) as Relation[];
const usedBy = (edges: Readonly<Record<string, Action>>) => new Set(Object.values(edges));

/** What an agent may do with a task, relation by relation: written a second time, on purpose. */
const OF_RELATION: Readonly<Record<Relation, readonly string[]>> = {
  creator: ['read', 'release', 'update', 'link', 'unlink', 'unblock', 'cancel', 'answer', 'reopen', 'delete'],
  holder: [
    'read',
    'spawn',
    'start',
    'progress',
    'log',
    'artifact',
    'checkpoint',
    'block',
    'return',
    'complete',
    'fail',
    'delegate',
  ],
  delegator: ['read'],
  ancestorHolder: ['read', 'cancel', 'answer'],
  dependentHolder: ['read'],
  pastHolder: ['read'],
};

describe('the table of access', () => {
  it('has an entry for every route and every message, and no other', () => {
    expect(Object.keys(ROUTE_ACTIONS).toSorted()).toEqual(Object.keys(ROUTES).toSorted());
    expect(Object.keys(MESSAGE_ACTIONS).toSorted()).toEqual(Object.keys(MESSAGES).toSorted());
  });

  it('finds the entry by what an edge serves, and refuses what has none', () => {
    for (const { method, path } of Object.values(ROUTES) as Route[]) {
      expect(actions).toContain(actionOfRoute(method, path));
    }
    for (const { subject } of Object.values(MESSAGES)) {
      expect(actions).toContain(actionOfSubject(subject.replace(/\{\w+\}/g, '*')));
    }
    expect(() => actionOfRoute('GET', '/v1/secrets')).toThrow('GET /v1/secrets has no entry');
    expect(() => actionOfSubject('agent.*.call.root')).toThrow('agent.*.call.root has no entry');
  });

  it('lets admins do all that people may, operators all but what concerns keys, viewers only read', () => {
    for (const action of usedBy(ROUTE_ACTIONS)) {
      const reads = /\.(read|list|count|relatives)$/.test(action) || action === 'agent.enrol';
      expect({ action, admin: mayDo(action, 'admin') }).toEqual({ action, admin: true });
      expect({ action, operator: mayDo(action, 'operator') }).toEqual({
        action,
        operator: !action.startsWith('key.'),
      });
      expect({ action, viewer: mayDo(action, 'viewer') }).toEqual({ action, viewer: reads });
    }
  });

  it('lets each route be reached only with GET by who only reads', () => {
    for (const [id, { method }] of Object.entries(ROUTES) as [keyof typeof ROUTES, Route][]) {
      const isForViewers = mayDo(ROUTE_ACTIONS[id], 'viewer');
      // Who enrols shows a token in place of a key.
      const isOpen = id === 'enrolAgent';
      const reads = method === 'GET' && id !== 'listKeys';
      expect({ id, isForViewers }).toEqual({ id, isForViewers: reads || isOpen });
    }
  });

  it('lets an agent do with a task what its relation to it allows, and nothing without one', () => {
    for (const action of actions.filter((one) => one.startsWith('task.'))) {
      const word = action.slice('task.'.length);
      for (const relation of relations) {
        const allowed = OF_RELATION[relation].includes(word);
        expect({ action, relation, may: mayDo(action, 'agent', relation) }).toEqual({
          action,
          relation,
          may: allowed,
        });
      }
      expect({ action, may: mayDo(action, 'agent') }).toEqual({ action, may: false });
    }
  });

  it('lets agents ask for what concerns themselves, and tells a person apart from an agent', () => {
    const { agents, people }: Access = ACCESS['agent.inbox'];
    expect({ agents, people }).toEqual({ agents: 'itself', people: undefined });
    expect(mayDo('agent.inbox', 'agent', 'itself')).toBe(true);
    expect(mayDo('agent.manage', 'agent', 'itself')).toBe(false);
    // Relations are those of agents: they give people nothing.
    expect(mayDo('task.cancel', 'viewer', 'creator')).toBe(false);
    expect(ROLES.filter((role) => mayDo('service.ask', role, 'itself'))).toEqual([]);
  });
});
