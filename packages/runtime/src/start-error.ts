/** What keeps a program from starting, in words for people: the message says what came and what to do. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
  }
}

/** An address that a server cannot listen on, told with the variable that moves it; anything else as it is. */
export function explainListenError(error: unknown, config: Readonly<Record<string, unknown>>): unknown {
  const { code, syscall, port, address, hostname } = error as NodeJS.ErrnoException & {
    readonly port?: number;
    readonly address?: string;
    readonly hostname?: string;
  };
  const host = hostname ?? address;
  const hostVariable = Object.keys(config).find((name) => name.endsWith('_HOST') && config[name] === host);
  if (hostVariable !== undefined && (code === 'EADDRNOTAVAIL' || syscall === 'getaddrinfo')) {
    return new StartError(
      `${hostVariable}: ${host} is no address of this machine (${code}); set it to one, such as 127.0.0.1 or 0.0.0.0`,
      { cause: error },
    );
  }
  if (syscall !== 'listen' || port === undefined) return error;
  const variable =
    Object.keys(config).find((name) => name.endsWith('_PORT') && config[name] === port) ?? 'its variable';
  if (code === 'EADDRINUSE') {
    return new StartError(
      `${variable}: port ${port} of ${address} is taken by another program; stop that one ("lsof -i :${port}" or ` +
        `"ss -ltnp" tells who it is) or set ${variable} to another port`,
      { cause: error },
    );
  }
  if (code !== 'EACCES') return error;
  return new StartError(
    `${variable}: this user may not listen on port ${port}; set ${variable} to a port above 1023`,
    { cause: error },
  );
}
