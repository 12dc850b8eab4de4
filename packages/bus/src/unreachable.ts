/** One line that tells why NATS cannot be reached and what to do, without passwords. */
export function explainUnreachable(error: unknown, servers: string): string {
  const { problem, advice } = explain(error);
  return `NATS_URL: NATS at ${withoutUserInfo(servers)} cannot be reached: ${problem}; ${advice}; trying again until it is`;
}

function explain(error: unknown): { readonly problem: string; readonly advice: string } {
  const { code, message } = causeOf(error);
  if (code === 'ECONNREFUSED')
    return { problem: 'nothing listens there', advice: 'start that nats-server or correct host and port' };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { problem: `the host name cannot be found (${code})`, advice: 'correct it' };
  if (/authorization|authentication/i.test(message))
    return { problem: 'it refuses our credentials', advice: 'correct them' };
  if (/timeout/i.test(message))
    return { problem: 'no answer', advice: 'check the address and what is between (firewall, network)' };
  return { problem: message, advice: 'check the address and that server' };
}

/** The client keeps what the system said in the cause of its own error. */
function causeOf(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message, cause } = error as NodeJS.ErrnoException;
  const { code: innerCode } = (cause ?? {}) as NodeJS.ErrnoException;
  return { code: code ?? innerCode ?? '', message };
}

function withoutUserInfo(servers: string): string {
  return servers.replaceAll(/[^,/\s]*@/g, '');
}
