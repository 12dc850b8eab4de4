import { isAuthority } from '@baton/accounts';
import {
  httpSettings,
  portSetting,
  postgresSetting,
  rateSetting,
  serviceSettings,
  setting,
} from '@baton/runtime';
import { z } from 'zod';

/** Fractions are days too: 0.5 is twelve hours. */
function daysSetting(byDefault: number, notes: { readonly does: string; readonly example: string }) {
  return setting(z.coerce.number().min(0).max(36_500).default(byDefault), {
    ...notes,
    expected: 'days from 0 to 36500, also fractions',
  });
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Keys are read from it: on the way they must not be changed. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash } = new URL(text);
  return (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))) && search + hash === '';
}

/** The environment of task-service. */
export const configSchema = z.object({
  DATABASE_URL: postgresSetting(
    'The Postgres that owns all tasks and agents. At its start the service makes and updates its tables in it.',
  ),
  ...serviceSettings,
  BATON_HTTP_PORT: portSetting('The port of the REST API.', 4001),
  ...httpSettings,
  BATON_RATE_AGENT: rateSetting(5_000, {
    does: 'How many messages one agent may send in a second over NATS; one of many items counts once.',
    example: '200',
  }),
  BATON_LANES: setting(z.coerce.number().int().min(1).max(16).default(2), {
    does: 'How many batches of changes are written at the same time. Each lane takes up to four connections of Postgres, beside 19 for everything else.',
    expected: 'a number from 1 to 16',
    example: '4',
  }),
  BATON_OIDC_ISSUER: setting(z.string().refine(isIssuer).optional(), {
    does: 'The OpenID Connect issuer whose access tokens (JWT) are taken beside API keys.',
    expected: 'its address as tokens name it, https:// (or http:// on this machine)',
    example: 'https://login.example.org/realms/agents',
  }),
  BATON_OIDC_AUDIENCE: setting(z.string().min(1).default('baton'), {
    does: 'What such tokens must name as their audience.',
    expected: 'a word or an address',
    example: 'https://baton.example.org',
  }),
  BATON_OIDC_ROLES_CLAIM: setting(z.string().min(1).default('roles'), {
    does: 'The claim of such tokens that lists roles, of which `baton-admin`, `baton-operator` and `baton-viewer` count; a token without one is not taken.',
    expected: 'the name of a claim, where dots lead inside',
    example: 'realm_access.roles',
  }),
  BATON_NATS_AUTHORITY: setting(z.string().refine(isAuthority).optional(), {
    does: 'What credentials of agents are signed with: `authority.json`, which is written along with the keys of the accounts. Without it agents cannot enrol themselves, and nobody can make credentials over REST.',
    expected: 'the content of authority.json',
    example: `{"account":"A${'B'.repeat(55)}","agentsSigning":"SA${'B'.repeat(56)}"}`,
    secret: true,
  }),
  BATON_AGENT_ENROLMENT: setting(z.enum(['open', 'closed']).default('open'), {
    does: 'Whether an agent that nobody registered may join by saying hello.',
    expected: 'open or closed',
    example: 'closed',
  }),
  BATON_RETENTION_HOT_DAYS: daysSetting(7, {
    does: 'How long after its end a task stays in the hot tables. Whole trees that ended before, and on which nothing unfinished depends, move to the archive, which the same API reads.',
    example: '30',
  }),
  BATON_RETENTION_ARCHIVE_DAYS: daysSetting(365, {
    does: 'How long after its end a month of the archive stays in the database. Then it is written to `BATON_ARCHIVE_DIRECTORY` and dropped; without that directory it stays.',
    example: '90',
  }),
  BATON_ARCHIVE_DIRECTORY: setting(z.string().optional(), {
    does: 'Where months that leave the archive are written, as compressed JSON lines; made when it is missing. All replicas that have one must see the same.',
    expected: 'a directory',
    example: '/var/lib/baton/archive',
  }),
});
export type Config = z.infer<typeof configSchema>;
