type Advice = { readonly problem: string; readonly advice: string };

/** Refusals that only a person ends; everything else may pass by itself. */
const refusals: Readonly<Record<string, (address: URL) => Advice>> = {
  '28P01': ({ username }) => ({
    problem: `it refuses the password of user "${decodeURIComponent(username)}"`,
    advice: 'correct user or password',
  }),
  '28000': ({ username }) => ({
    problem: `user "${decodeURIComponent(username)}" may not log in`,
    advice: 'correct the user, create the role, or allow it in pg_hba.conf',
  }),
  '3D000': ({ pathname }) => ({
    problem: `there is no database "${pathname.slice(1)}"`,
    advice: 'create it (createdb) or correct the name',
  }),
  '42501': () => ({
    problem: 'the user lacks a right',
    advice: 'give it the right to connect and to create in the database (GRANT CREATE ON DATABASE)',
  }),
};

const outages: Readonly<Record<string, Advice>> = {
  ENOTFOUND: { problem: 'the host name is unknown', advice: 'correct it' },
  EAI_AGAIN: { problem: 'the host name cannot be looked up', advice: 'check it and the network' },
  ECONNREFUSED: { problem: 'nothing listens there', advice: 'start that Postgres or correct host and port' },
  ECONNRESET: { problem: 'the connection was cut', advice: 'check that Postgres listens there' },
  ETIMEDOUT: { problem: 'no answer', advice: 'check the address and what is between (firewall, network)' },
  '53300': { problem: 'it takes no more connections', advice: 'raise max_connections or run fewer replicas' },
  '57P03': { problem: 'it is starting or stopping', advice: 'wait' },
};

/**
 * One line that tells why a database cannot be used and what to do, without its password. `variable` names where the
 * address came from.
 */
export function explainDatabaseError(error: unknown, url: string, variable = 'DATABASE_URL'): string {
  const address = new URL(url);
  const { code, message } = causeOf(error);
  const { problem, advice } = refusals[code]?.(address) ??
    outages[code] ?? { problem: [message, code].filter(Boolean).join(', '), advice: 'check that server' };
  return `${variable}: Postgres at ${address.host}${address.pathname} cannot be used: ${problem}; ${advice}`;
}

/** Whether the database answered and said no (password, user, missing database, missing right). */
export function isDatabaseRefusal(error: unknown): boolean {
  return causeOf(error).code in refusals;
}

/**
 * Whether it is the server that cannot be used: it refuses us, is away, or is going away. Anything else is a fault of
 * the statement or of this program.
 */
export function isDatabaseAway(error: unknown): boolean {
  const { code, message } = causeOf(error);
  const isSilent = code === '' && /^Connection terminated|not queryable/.test(message);
  // Connection exceptions (08), lack of resources (53), intervention of an operator (57P), and the network's own.
  return isSilent || code in refusals || code in outages || /^(08|53|57P)...?$|^E[A-Z]{3,}/.test(code);
}

/** TypeORM wraps what the driver throws; the driver's own deadline has no code. */
function causeOf(error: unknown): { readonly code: string; readonly message: string } {
  const { driverError = error } = error as { readonly driverError?: unknown };
  const { code, message = '' } = driverError as { readonly code?: string; readonly message?: string };
  return { code: code ?? (/timeout/i.test(message) ? 'ETIMEDOUT' : ''), message };
}
