/** What keys and tokens may be, from the one that may most. An agent is one by its subject, or by a key of its own. */
export const ROLES = ['admin', 'operator', 'viewer', 'agent'] as const;
export type Role = (typeof ROLES)[number];

/** How an agent may be related to a task. The cheap ones to find out come first. */
export const RELATIONS = {
  creator: 'created it',
  holder: 'has it now',
  delegator: 'handed it on',
  ancestorHolder: 'has a task above it now',
  dependentHolder: 'has a task now that depends on it',
  pastHolder: 'had it',
} as const;
export type Relation = keyof typeof RELATIONS;

/** Who may do something. What is not listed is refused. */
export type Access = {
  /** The least role of people who may; admin includes operator, operator includes viewer. */
  readonly people?: 'admin' | 'operator' | 'viewer';
  /** In which relations to the task an agent may; `itself`: in what concerns no task of others. */
  readonly agents?: 'itself' | readonly Relation[];
  /** Baton's own parts that may. */
  readonly parts?: readonly ('system' | 'distribution')[];
  /** Anyone may, also without key or token. */
  readonly isPublic?: true;
};

const ANY = Object.keys(RELATIONS) as readonly Relation[];
const BY_HOLDER = { people: 'operator', agents: ['holder'] } as const;
const BY_CREATOR = { people: 'operator', agents: ['creator'] } as const;
const BY_SYSTEM = { parts: ['system'] } as const;
const OPERATED = { people: 'operator' } as const;
const READ = { people: 'viewer' } as const;
const ITSELF = { agents: 'itself' } as const;

/**
 * The one table of who may do what; both edges ask it (`services/task-service/src/access`), routes and subjects name
 * their entry in `authorization.edges.ts`, and `docs/authorization.md` and the issuers in `docs/state-machine.md` are
 * made from it. Whoever acts for a holder must know its attempt and epoch too: that is checked under the task's lock.
 */
export const ACCESS = {
  'task.read': { people: 'viewer', agents: ANY },
  'task.list': { people: 'viewer', agents: 'itself' },
  'task.count': READ,
  'task.relatives': READ,
  'task.create': { people: 'operator', agents: 'itself' },
  'task.submit': OPERATED,
  'task.spawn': BY_HOLDER,
  'task.release': BY_CREATOR,
  'task.update': BY_CREATOR,
  'task.reopen': BY_CREATOR,
  'task.delete': BY_CREATOR,
  'task.cancel': { people: 'operator', agents: ['creator', 'ancestorHolder'], parts: ['system'] },
  'task.answer': { people: 'operator', agents: ['creator', 'ancestorHolder'] },
  'task.link': BY_CREATOR,
  'task.unlink': BY_CREATOR,
  'task.assign': { people: 'operator', parts: ['distribution'] },
  'task.reassign': { people: 'operator', parts: ['system'] },
  'task.pin': OPERATED,
  'task.unpin': { people: 'operator', parts: ['system'] },
  'task.unblock': { ...BY_CREATOR, parts: ['system'] },
  'task.start': BY_HOLDER,
  'task.progress': BY_HOLDER,
  'task.log': { agents: ['holder'] },
  'task.artifact': { agents: ['holder'] },
  'task.checkpoint': { agents: ['holder'] },
  'task.block': BY_HOLDER,
  'task.return': BY_HOLDER,
  'task.delegate': BY_HOLDER,
  'task.complete': BY_HOLDER,
  'task.fail': BY_HOLDER,
  'task.ripen': BY_SYSTEM,
  'task.stop': BY_SYSTEM,
  'task.expire': BY_SYSTEM,
  'task.timeout': BY_SYSTEM,
  'task.forget': { parts: ['distribution'] },
  'agent.live': ITSELF,
  'agent.told': BY_SYSTEM,
  'agent.inbox': ITSELF,
  'agent.connected': ITSELF,
  'agent.renew': ITSELF,
  'agent.enrol': { isPublic: true },
  'agent.read': READ,
  'agent.manage': OPERATED,
  'audit.read': READ,
  'type.read': READ,
  'type.manage': OPERATED,
  'policy.read': READ,
  'policy.manage': OPERATED,
  'pause.read': READ,
  'pause.manage': OPERATED,
  'metrics.read': READ,
  'operation.read': READ,
  'operation.manage': OPERATED,
  'key.manage': { people: 'admin' },
  'service.ask': { parts: ['system', 'distribution'] },
  'document.read': { isPublic: true },
} as const satisfies Readonly<Record<string, Access>>;
export type Action = keyof typeof ACCESS;

const RANK = { viewer: 0, operator: 1, admin: 2 } as const;

/** Whether someone may: people by their role, an agent in a relation to the task (`itself` where there is no task). */
export function mayDo(action: Action, role: Role, relation: Relation | 'itself' | 'none' = 'none'): boolean {
  const { people, agents, isPublic }: Access = ACCESS[action];
  if (isPublic) return true;
  if (role !== 'agent') return people !== undefined && RANK[role] >= RANK[people];
  if (agents === undefined || agents === 'itself') return agents === relation;
  return agents.some((allowed) => allowed === relation);
}

/** Who may, in words. */
export function describeAccess(action: Action): string {
  const { people, agents, parts = [], isPublic }: Access = ACCESS[action];
  const relations = agents === 'itself' || agents === undefined ? [] : agents.map(inWords);
  return [
    ...(isPublic ? ['anyone'] : []),
    ...(agents === 'itself' ? ['agents'] : relations),
    ...(people === undefined ? [] : [people]),
    ...parts,
  ].join(', ');
}

function inWords(relation: Relation): string {
  return relation.replace(/[A-Z]/, (letter) => ` ${letter.toLowerCase()}`);
}
