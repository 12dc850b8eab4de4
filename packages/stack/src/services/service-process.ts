import { access } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';

import type { NatsAccess } from '../nats/access.js';
import { choosePort, findFreePort, portFromEnvironment } from '../ports.js';
import type { ProcessOptions, RunningProcess } from '../process/start-process.js';
import { startTracked } from '../process/start-tracked.js';
import { StackError } from '../stack-error.js';
import type { Stack } from '../start-stack.js';
import { waitFor } from '../wait.js';
import type { ServiceDefinition, ServicePort } from './service-definition.js';

/** What the program of a service and its environment follow from. */
export interface ServicePlanContext {
  /** The servers it works with; its log goes to `logs` in the directory. */
  readonly stack: Pick<Stack, 'directory' | 'postgresUrl' | 'metricsPostgresUrl' | 'natsUrl'> &
    Partial<Pick<Stack, 'adminKeyFile'>> & {
      readonly nats: { readonly access: Pick<NatsAccess, 'directory'> } | undefined;
    };
  /** The checkout that holds the built services. */
  readonly checkout: string;
  /** `standard`: the documented ports or those the environment sets; `free`: any free ones. */
  readonly ports: 'standard' | 'free';
  readonly environment: NodeJS.ProcessEnv;
}

/** Where services run and what they share. */
export interface ServiceContext extends ServicePlanContext {
  readonly stack: ServicePlanContext['stack'] & Pick<Stack, 'track' | 'announce'>;
}

/** The program of a service with its ports chosen: what is needed to start it, and start it again. */
export interface ServicePlan {
  readonly name: string;
  readonly process: ProcessOptions;
  /** `http://<host>:<port>` of its API, where BATON_HTTP_HOST or loopback is the host; undefined when it has none. */
  readonly httpUrl: string | undefined;
  /** `http://<host>:<port>` of `/livez`, `/readyz` and `/metrics`. */
  readonly operationsUrl: string;
}

/** Chooses the ports of a service and how to run it. Nothing is started yet. */
export async function planService(
  definition: ServiceDefinition,
  context: ServicePlanContext,
): Promise<ServicePlan> {
  const { stack, checkout, environment } = context;
  const script = join(checkout, definition.script);
  await access(script).catch((cause: unknown) => {
    const message = `The built program ${definition.script} of ${definition.name} is missing in ${checkout}. Run "npm run build".`;
    throw new StackError('SERVICE_START_FAILED', message, { cause });
  });
  const http = definition.http && (await servicePort(definition.name, definition.http, context));
  const operations = await servicePort(definition.name, definition.operations, context);
  const host = reachableHost(environment['BATON_HTTP_HOST']);
  const database = { main: stack.postgresUrl, metrics: stack.metricsPostgresUrl };
  return {
    name: definition.name,
    process: {
      name: definition.name,
      command: process.execPath,
      // Megabytes for young objects. With V8's 16, task-service spends 7 % more CPU on collecting them.
      arguments: [
        '--enable-source-maps',
        '--max-semi-space-size=32',
        '--import',
        '@baton/runtime/tracing',
        script,
      ],
      directory: checkout,
      environment: {
        ...environment,
        ...(definition.database && {
          DATABASE_URL: database[definition.database],
          // Read already; a service refuses to choose between the two.
          DATABASE_URL_FILE: undefined,
        }),
        ...(definition.takesAdminKey && stack.adminKeyFile && { BATON_ADMIN_KEY_FILE: stack.adminKeyFile }),
        NATS_URL: stack.natsUrl,
        ...credentialFiles(definition.name, stack.nats?.access.directory),
        ...(http !== undefined && { BATON_HTTP_PORT: String(http) }),
        BATON_OPERATIONS_PORT: String(operations),
      },
      logFile: join(stack.directory, 'logs', `${definition.name}.log`),
      stopDeadlineMs: stopDeadlineMs(environment),
    },
    httpUrl: http === undefined ? undefined : `http://${host}:${http}`,
    operationsUrl: `http://${reachableHost(environment['BATON_OPERATIONS_HOST'])}:${operations}`,
  };
}

/** Where a service that listens on an address answers this machine, as it stands in a URL. */
function reachableHost(listening: string | undefined): string {
  const host = listening || '127.0.0.1';
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIPv6(host) ? `[${host}]` : host;
}

/** Starts the program of a plan and records it, so that it cannot be left behind. */
export function startPlanned(plan: ServicePlan, stack: ServiceContext['stack']): Promise<RunningProcess> {
  return startTracked(plan.process, (child) => stack.track(child));
}

/** Waits until `/readyz` answers 200. Rejects with what the service wrote when it ends or takes too long. */
export async function untilReady(
  plan: ServicePlan,
  child: RunningProcess,
  deadlineMs = 60_000,
): Promise<void> {
  const outcome = await waitFor(
    async () => {
      if (child.hasExited()) return 'ended';
      return (await isReady(plan.operationsUrl)) ? 'ready' : undefined;
    },
    { deadlineMs, intervalMs: 25 },
  );
  if (outcome === 'ready') return;
  const what =
    outcome === 'ended' ? 'ended before it was ready' : `was not ready after ${deadlineMs / 1000} s`;
  throw new StackError(
    'SERVICE_START_FAILED',
    `${plan.name} ${what}. It wrote:\n${await child.lastLines()}\n` +
      `The whole log is ${child.logFile}. Mend what it says and start again; ` +
      'if the data in .baton is from another version, "npm run reset" removes it.',
  );
}

/** Files, as everybody on the machine may see the environment of a process of theirs. */
function credentialFiles(service: string, directory: string | undefined): NodeJS.ProcessEnv {
  if (directory === undefined) return {};
  return {
    BATON_NATS_CREDENTIALS_FILE: join(directory, `${service}.creds`),
    ...(service === 'task-service' && { BATON_NATS_AUTHORITY_FILE: join(directory, 'authority.json') }),
    ...(service === 'distribution-service' && {
      BATON_NATS_PROBE_CREDENTIALS_FILE: join(directory, 'probe.creds'),
    }),
  };
}

/** A service ends by itself after its delay and its deadline; only one that does not is killed. */
function stopDeadlineMs(environment: NodeJS.ProcessEnv): number {
  const delayMs = Number(environment['BATON_SHUTDOWN_DELAY_MS']) || 0;
  const deadlineMs = Number(environment['BATON_SHUTDOWN_DEADLINE_MS']) || 20_000;
  return delayMs + deadlineMs + 2_000;
}

async function isReady(operationsUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${operationsUrl}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}

async function servicePort(
  service: string,
  { variable, standard }: ServicePort,
  { ports, environment }: ServicePlanContext,
): Promise<number> {
  const configured = portFromEnvironment(environment, variable);
  if (ports === 'free' || configured === 0) return findFreePort();
  return choosePort({ name: service, variable, configured: configured ?? standard });
}
