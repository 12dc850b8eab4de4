import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { collectDefaultMetrics, register } from 'prom-client';

export type OperationsOptions = {
  /** 0 takes any free port. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** What must hold before traffic is sent here, by name. A check fails by throwing, or by taking over 2 s. */
  readonly checks: Readonly<Record<string, () => Promise<void> | void>>;
  readonly logger: Logger;
};

/** The operations port: `/livez`, `/readyz` (`?verbose` for JSON), `/metrics`. */
export type Operations = {
  /** The start is complete: from now on the checks decide. */
  readonly ready: () => void;
  /** Answers "not ready" whatever the checks say, so that no new traffic comes during a shutdown. */
  readonly notReady: () => void;
  /** Closes the port. Safe to call twice. */
  readonly stop: () => Promise<void>;
  readonly port: number;
};

const checkDeadlineMs = 2_000;

/**
 * Opens the operations port. `/livez` answers 200 while the process can answer at all: it does not depend on NATS
 * or Postgres, whose outages a restart would not end. Rejects when the port is taken.
 */
export async function startOperations(options: OperationsOptions): Promise<Operations> {
  if (!register.getSingleMetric('process_cpu_user_seconds_total')) collectDefaultMetrics();
  let isReady = false;
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      options.logger.error({ err: error, url: request.url }, 'the operations port failed to answer');
      if (response.headersSent) response.destroy();
      else send(response, 500, 'failed; the log tells why');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host ?? '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;

  return {
    port,
    ready: () => {
      isReady = true;
    },
    notReady: () => {
      isReady = false;
    },
    stop: () => (stopped ??= stop()),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, 405, 'only GET and HEAD');
    const url = new URL(request.url ?? '/', 'http://operations');
    if (url.pathname === '/livez') return send(response, 200, 'ok');
    if (url.pathname === '/readyz') return answerReadiness(response, url.searchParams.has('verbose'));
    if (url.pathname === '/metrics')
      return send(response, 200, await register.metrics(), register.contentType);
    return send(response, 404, 'expected /livez, /readyz or /metrics');
  }

  async function answerReadiness(response: ServerResponse, verbose: boolean): Promise<void> {
    const names = Object.keys(options.checks);
    const outcomes = await Promise.all(names.map((name) => outcomeOf(options.checks[name])));
    const checks = Object.fromEntries(names.map((name, index) => [name, outcomes[index] ?? 'ok']));
    const failed = names.filter((_, index) => outcomes[index] !== undefined);
    const serves = isReady && failed.length === 0;
    const status = serves ? 200 : 503;
    if (verbose) {
      const body = JSON.stringify({ ready: serves, started: isReady, checks });
      return send(response, status, body, 'application/json');
    }
    if (serves) return send(response, status, 'ok');
    return send(
      response,
      status,
      isReady ? `not ready: ${failed.join(', ')}` : 'not ready: starting or stopping',
    );
  }

  async function stop(): Promise<void> {
    isReady = false;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

/** What is wrong, or undefined. */
async function outcomeOf(check: (() => Promise<void> | void) | undefined): Promise<string | undefined> {
  const deadline = new AbortController();
  // Caught at once: a check may throw before anybody waits for the deadline.
  const late = delay(checkDeadlineMs, `no answer within ${checkDeadlineMs} ms`, {
    signal: deadline.signal,
  }).catch(() => undefined);
  try {
    return await Promise.race([Promise.resolve(check?.()).then(() => undefined), late]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    deadline.abort();
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}
