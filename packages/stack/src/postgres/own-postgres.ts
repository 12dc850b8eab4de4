import { Client } from 'pg';

import { StackError } from '../stack-error.js';

const advice = new Map([
  ['ECONNREFUSED', 'Nothing listens there: start that Postgres'],
  ['ENOTFOUND', 'The host name is unknown: correct it'],
  ['EAI_AGAIN', 'The host name could not be looked up: check it and the network'],
  ['28P01', 'The password is wrong: correct it'],
  ['28000', 'The user may not log in: correct the user, or allow it in pg_hba.conf'],
  ['3D000', 'The database does not exist: create it (createdb)'],
]);

/** Makes sure that the Postgres the user named in `variable` answers; returns its version. */
export async function checkOwnPostgres(url: string, variable: string): Promise<string> {
  const client = createClient(url, variable);
  // Without a listener a connection that breaks while it is closed would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version ?? 'unknown';
  } catch (cause) {
    throw unreachable(url, variable, cause);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A database address without its password, for people to read. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return '(not a URL)';
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = '***';
  return parsed.href;
}

function createClient(url: string, variable: string): Client {
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) {
    const application = { application_name: 'baton-stack' };
    return new Client({ connectionString: url, connectionTimeoutMillis: 5_000, ...application });
  }
  throw new StackError(
    'INVALID_SETTING',
    `${variable} must look like postgresql://user:password@host:5432/database, but does not. ` +
      'Correct it, or unset it to use the embedded Postgres.',
  );
}

function unreachable(url: string, variable: string, cause: unknown): StackError {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  // A host with several addresses gives an error that holds one error for each, and no message.
  const reason = [message, code].filter((part) => part !== '' && part !== undefined).join(', ');
  return new StackError(
    'POSTGRES_UNREACHABLE',
    `${variable} is set to ${withoutPassword(url)}, but that Postgres cannot be used (${reason}). ` +
      `${advice.get(code) ?? 'Check the address and that server'}, or unset ${variable} to use the embedded Postgres.`,
    { cause },
  );
}
