import { Client } from 'pg';

import { StackError } from '../stack-error.js';

/** What of Baton will be kept there: the tables of task-service, or the schema `metrics`. */
export type Purpose = 'tables' | 'metrics';

/** A Postgres of the user's own, and what it must be fit for. */
export interface OwnPostgres {
  readonly url: string;
  /** The environment variable the address comes from. */
  readonly variable: string;
  readonly purposes: readonly Purpose[];
}

const oldestVersion = 14;

const advice = new Map([
  ['ECONNREFUSED', 'Nothing listens there: start that Postgres'],
  ['ENOTFOUND', 'The host name is unknown: correct it'],
  ['EAI_AGAIN', 'The host name could not be looked up: check it and the network'],
  ['EHOSTUNREACH', 'There is no way to that host: correct it, or check the network'],
  ['ENETUNREACH', 'There is no way to that host: correct it, or check the network'],
  ['28P01', 'The password is wrong: correct it'],
  ['28000', 'The user may not log in: correct the user, allow it in pg_hba.conf, or add "?sslmode=require"'],
  ['3D000', 'The database does not exist: create it (createdb)'],
  ['53300', 'All its connections are taken: raise max_connections (Baton needs about 40)'],
]);

const adviceByMessage: readonly (readonly [RegExp, string])[] = [
  [
    /password must be a string|no password/,
    'It asks for a password, but the address has none: write user:password@host',
  ],
  [/timeout/i, 'Nothing answered within 5 s: check host, port and firewall'],
  [/does not support SSL/, 'That server speaks no TLS: take sslmode out of the address'],
  [/certificate/, 'Its certificate is not trusted: name the authority by "sslrootcert=FILE" in the address'],
  [/terminated unexpectedly/, 'What listens there hung up, so it may be no Postgres: check the port'],
];

interface Facts {
  readonly version: string;
  readonly number: number;
  readonly user: string;
  readonly database: string;
  readonly isReadOnly: boolean;
  /** Milliseconds of the epoch. */
  readonly now: number;
  readonly mayTables: boolean;
  readonly mayMetrics: boolean;
}

/** What a Postgres that will do told of itself. */
export interface CheckedPostgres {
  readonly version: string;
  /** How far the clock of this machine is ahead of its, when that is worth a word. */
  readonly clockWarning: string | undefined;
}

/** Makes sure that the Postgres the user named answers and will do. */
export async function checkOwnPostgres(own: OwnPostgres): Promise<CheckedPostgres> {
  const facts = await askFacts(own);
  const problem = problemOf(facts, own.purposes);
  if (problem === undefined) return { version: facts.version, clockWarning: clockWarning(facts.now) };
  throw new StackError(
    'POSTGRES_UNUSABLE',
    `${own.variable} is set to ${withoutPassword(own.url)}, but ${problem}, ` +
      `or unset ${own.variable} to use the embedded Postgres.`,
  );
}

/** A database address without its password, for people to read. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return '(not a URL)';
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = '***';
  if (parsed.searchParams.has('password')) parsed.searchParams.set('password', '***');
  return parsed.href;
}

async function askFacts(own: OwnPostgres): Promise<Facts> {
  const client = createClient(own);
  // Without a listener a connection that breaks while it is closed would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Facts>(`
      SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
        current_user AS user, current_database() AS database,
        extract(epoch FROM clock_timestamp())::float8 * 1000 AS now,
        pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS "isReadOnly",
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS "mayTables",
        CASE WHEN to_regnamespace('metrics') IS NULL THEN has_database_privilege(current_database(), 'CREATE')
          ELSE has_schema_privilege('metrics', 'CREATE') END AS "mayMetrics"`);
    const [facts] = rows;
    if (facts === undefined) throw new Error('it answered nothing');
    return facts;
  } catch (cause) {
    throw unreachable(own, cause);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function problemOf(facts: Facts, purposes: readonly Purpose[]): string | undefined {
  const { version, number, user, database, isReadOnly, mayTables, mayMetrics } = facts;
  if (number < oldestVersion * 10_000) {
    return `that is Postgres ${version} and Baton needs ${oldestVersion} or later. Upgrade it`;
  }
  if (isReadOnly) return 'that server is a read-only replica. Name the primary';
  if (purposes.includes('tables') && !mayTables) {
    return `the user ${user} may not create tables there. Grant it (GRANT CREATE, USAGE ON SCHEMA public TO ${quoted(user)})`;
  }
  if (purposes.includes('metrics') && !mayMetrics) {
    const grant = `GRANT CREATE ON DATABASE ${quoted(database)} TO ${quoted(user)}`;
    return `the user ${user} may not create the schema metrics there. Grant it (${grant})`;
  }
  return undefined;
}

// The question itself takes at most 5 s.
function clockWarning(databaseTime: number): string | undefined {
  const seconds = Math.round((Date.now() - databaseTime) / 1_000);
  if (Math.abs(seconds) <= 10) return undefined;
  const direction = seconds > 0 ? 'ahead of' : 'behind';
  return (
    `The clock of this machine is ${Math.abs(seconds)} s ${direction} that of Postgres, which is the one that counts. ` +
    'Have both set by NTP (timedatectl set-ntp true)'
  );
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function createClient({ url, variable }: OwnPostgres): Client {
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) {
    const application = { application_name: 'baton-stack' };
    return new Client({ connectionString: url, connectionTimeoutMillis: 5_000, ...application });
  }
  throw new StackError(
    'INVALID_SETTING',
    `${variable} must look like postgresql://user:password@host:5432/database, but does not ` +
      '(in a password, # is written %23, / is %2F, @ is %40). Correct it, or unset it to use the embedded Postgres.',
  );
}

function unreachable({ url, variable }: OwnPostgres, cause: unknown): StackError {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  // A host with several addresses gives an error that holds one error for each, and no message.
  const reason = [message, code].filter((part) => part !== '' && part !== undefined).join(', ');
  const known =
    advice.get(code) ??
    adviceByMessage.find(([pattern]) => pattern.test(message))?.[1] ??
    'Check the address and that server';
  return new StackError(
    'POSTGRES_UNREACHABLE',
    `${variable} is set to ${withoutPassword(url)}, but that Postgres cannot be used (${reason}). ` +
      `${known}, or unset ${variable} to use the embedded Postgres.`,
    { cause },
  );
}
