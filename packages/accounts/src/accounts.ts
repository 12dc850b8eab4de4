import { encodeAccount, encodeOperator, newScopedSigner, type Export, type Import } from '@nats-io/jwt';
import { type AccountKeys, pairOf, publicKeyOf } from './keys.js';
import { agentBeats, agentHears, agentPermissions, agentRequests, probeBeat } from './permissions.js';

/** What a nats-server is told: signed, and nothing secret. */
export type SignedAccounts = {
  readonly operator: string;
  /** The public key of the system account. */
  readonly system: string;
  /** JWTs of the accounts by their public keys. */
  readonly accounts: Readonly<Record<string, string>>;
};

/** An answer later than this is dropped by the server: one second more than offers are waited for. */
const ANSWER_WITHIN_NS = 5_000_000_000;

/**
 * The accounts SYS, CORE (services and streams) and AGENTS (no JetStream), joined by exactly the subjects of agents.
 * Signed anew from the same keys they hold the same users.
 */
export async function signAccounts(keys: AccountKeys): Promise<SignedAccounts> {
  const signer = pairOf(keys.operatorSigning);
  const system = publicKeyOf(keys.system);
  const core = publicKeyOf(keys.core);
  const agents = publicKeyOf(keys.agents);
  const operator = await encodeOperator('baton', pairOf(keys.operator), {
    signing_keys: [signer.getPublicKey()],
    system_account: system,
  });
  const systemJwt = await encodeAccount('SYS', pairOf(keys.system), { limits: withoutStreams }, { signer });
  const coreJwt = await encodeAccount(
    'CORE',
    pairOf(keys.core),
    {
      exports: exportsOf(agentRequests, 'service'),
      imports: [
        ...importsOf(agentHears, 'service', agents),
        ...importsOf([...agentBeats, probeBeat], 'stream', agents),
      ],
      limits: { ...withoutStreams, mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 },
    },
    { signer },
  );
  const agentsJwt = await encodeAccount(
    'AGENTS',
    pairOf(keys.agents),
    {
      exports: [...exportsOf(agentHears, 'service'), ...exportsOf([...agentBeats, probeBeat], 'stream')],
      imports: importsOf(agentRequests, 'service', core),
      limits: withoutStreams,
      signing_keys: [agentSigner(keys)],
    },
    { signer },
  );
  return { operator, system, accounts: { [system]: systemJwt, [core]: coreJwt, [agents]: agentsJwt } };
}

const withoutStreams = {
  subs: -1,
  data: -1,
  payload: -1,
  conn: -1,
  leaf: 0,
  imports: -1,
  exports: -1,
  wildcards: true,
};

/** Users it signs can be nothing but the agent that their name says, whatever else they claim. */
function agentSigner(keys: AccountKeys) {
  const { publish, subscribe } = agentPermissions('{{name()}}');
  return newScopedSigner(pairOf(keys.agentsSigning), 'agent', {
    pub: { allow: [...publish] },
    sub: { allow: [...subscribe] },
    resp: { max: 1, ttl: ANSWER_WITHIN_NS },
    subs: -1,
    data: -1,
    payload: -1,
    allowed_connection_types: ['STANDARD'],
  });
}

type Kind = 'service' | 'stream';

function exportsOf(subjects: readonly string[], type: Kind): Export[] {
  return subjects.map((subject) => ({ name: subject, subject, type }));
}

function importsOf(subjects: readonly string[], type: Kind, account: string): Import[] {
  return subjects.map((subject) => ({ name: subject, subject, type, account }));
}
