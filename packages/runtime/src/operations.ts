import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { collectDefaultMetrics, register } from 'prom-client';
import { createChecker, type Check } from './checks.js';
import { answerLogLevel } from './log-level.js';

/** What a service checks of itself, by name. */
export type Health = {
  /** What must hold before traffic is sent here. */
  readonly checks: Readonly<Record<string, Check>>;
  /** What is told as degraded when it fails, while the process stays in service: no other replica would do better. */
  readonly warnings?: Readonly<Record<string, Check>>;
};

export type OperationsOptions = Health & {
  /** 0 takes any free port. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** How long `notReady` lets load balancers notice; default 0. */
  readonly shutdownDelayMs?: number;
  readonly logger: Logger;
};

/** The operations port: `/livez`, `/readyz` (`?verbose` for JSON), `/metrics`, `/loglevel`. */
export type Operations = {
  /** The start is complete: from now on the checks decide. */
  readonly ready: () => void;
  /**
   * Answers "not ready" whatever the checks say, so that no new traffic comes during a shutdown; resolves when load
   * balancers had the time to notice.
   */
  readonly notReady: () => Promise<void>;
  /** Closes the port. Safe to call twice. */
  readonly stop: () => Promise<void>;
  readonly port: number;
};

type Stage = 'starting' | 'started' | 'stopping';

/**
 * Opens the operations port. `/livez` answers 200 while the process can answer at all: it does not depend on NATS
 * or Postgres, whose outages a restart would not end. Rejects when the port is taken.
 */
export async function startOperations(options: OperationsOptions): Promise<Operations> {
  const { logger, warnings = {}, shutdownDelayMs = 0 } = options;
  if (!register.getSingleMetric('process_cpu_user_seconds_total')) collectDefaultMetrics();
  let stage: Stage = 'starting';
  const runChecks = createChecker({ ...options.checks, ...warnings }, logger);
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      logger.error({ err: error, url: request.url }, 'the operations port failed to answer');
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
      if (stage === 'starting') stage = 'started';
    },
    notReady: async () => {
      stage = 'stopping';
      await delay(shutdownDelayMs);
    },
    stop: () => (stopped ??= stop()),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://operations');
    const { method } = request;
    const isLevel = url.pathname === '/loglevel';
    if (method !== 'GET' && method !== 'HEAD' && !(isLevel && method === 'PUT'))
      return send(response, 405, 'only GET and HEAD, and PUT /loglevel');
    if (isLevel) {
      const { status, body } = await answerLogLevel(request, logger);
      return send(response, status, body);
    }
    if (url.pathname === '/livez') return send(response, 200, 'ok');
    if (url.pathname === '/readyz') return answerReadiness(response, url.searchParams.has('verbose'));
    if (url.pathname !== '/metrics')
      return send(response, 404, 'expected /livez, /readyz, /metrics or /loglevel');
    await runChecks();
    return send(response, 200, await register.metrics(), register.contentType);
  }

  async function answerReadiness(response: ServerResponse, verbose: boolean): Promise<void> {
    if (stage !== 'started' && !verbose) return send(response, 503, `not ready: ${stage}`);
    const findings = await runChecks();
    const namesIn = (checks: object) =>
      Object.keys(checks).filter((name) => findings.get(name) !== undefined);
    const [failed, degraded] = [namesIn(options.checks), namesIn(warnings)];
    const ready = stage === 'started' && failed.length === 0;
    const status = ready ? 200 : 503;
    if (verbose) {
      const checks = Object.fromEntries([...findings].map(([name, problem]) => [name, problem ?? 'ok']));
      return send(
        response,
        status,
        JSON.stringify({ ready, stage, failed, degraded, checks }),
        'application/json',
      );
    }
    if (!ready) return send(response, status, `not ready: ${failed.join(', ') || stage}`);
    return send(response, status, degraded.length === 0 ? 'ok' : `ok, degraded: ${degraded.join(', ')}`);
  }

  async function stop(): Promise<void> {
    stage = 'stopping';
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
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
