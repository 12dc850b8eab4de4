import { checkoutDirectory } from '../checkout.js';
import { portFromEnvironment } from '../ports.js';
import { StackError } from '../stack-error.js';
import { batonServices, type ServiceDefinition } from './service-definition.js';
import { planService, startPlanned, untilReady, type ServiceContext } from './service-process.js';
import { superviseService, type SupervisedService } from './supervised-service.js';

/** Which services to start, and how. */
export interface ServicesOptions {
  /** The stack they work with; it is stopped by its owner, after the services. */
  readonly stack: ServiceContext['stack'];
  /** `standard`: the documented ports or those the environment sets; `free` takes any free ones. */
  readonly ports?: ServiceContext['ports'];
  /** Inherited by the services; that of this process when left out. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly report?: (line: string) => void;
  /** The checkout that holds the built services; the one this file is in when left out. */
  readonly checkout?: string;
  /** The services to start; the three of Baton when left out. */
  readonly definitions?: readonly ServiceDefinition[];
}

/** Running services. */
export interface Services {
  readonly list: readonly SupervisedService[];
  /** The service of that name. */
  get(name: string): SupervisedService;
  /** Stops them one after the other, the last started first. */
  stop(): Promise<void>;
}

/**
 * Starts the services as processes of their own, waits until each is ready, and starts those again that
 * crash. Rejects with a StackError, and leaves none running, when one does not get ready.
 */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const report = options.report ?? (() => undefined);
  const context: ServiceContext = {
    stack: options.stack,
    checkout: options.checkout ?? checkoutDirectory,
    ports: options.ports ?? 'standard',
    environment: options.environment ?? process.env,
  };
  const definitions = options.definitions ?? batonServices;
  // One after the other: two that look for a free port at once could find the same one.
  if (context.ports === 'standard') {
    refusePortsOfAll(definitions, context.environment);
    refuseSharedPorts(definitions, context.environment);
  }
  const plans = [];
  for (const definition of definitions) plans.push(await planService(definition, context));

  const starting = plans.map(async (plan) => {
    const child = await startPlanned(plan, context.stack);
    try {
      await untilReady(plan, child);
    } catch (cause) {
      await child.stop();
      throw cause;
    }
    report(`${plan.name} is ready (pid ${child.pid})`);
    if (plan.httpUrl !== undefined) await context.stack.announce(`${plan.name}: ${plan.httpUrl}`);
    return superviseService(plan, child, { stack: context.stack, report });
  });
  const settled = await Promise.allSettled(starting);
  const list = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await stopInReverse(list);
    throw failed.reason;
  }
  return {
    list,
    get: (name) => {
      const found = list.find((service) => service.name === name);
      if (found !== undefined) return found;
      throw new Error(`no service ${name}; there are ${list.map((service) => service.name).join(', ')}`);
    },
    stop: () => stopInReverse(list),
  };
}

/** One port cannot be that of all services: a variable that says so must not be ignored. */
function refusePortsOfAll(definitions: readonly ServiceDefinition[], environment: NodeJS.ProcessEnv): void {
  const own = {
    BATON_HTTP_PORT: definitions.flatMap(({ http }) => http?.variable ?? []),
    BATON_OPERATIONS_PORT: definitions.map(({ operations }) => operations.variable),
  };
  for (const [variable, instead] of Object.entries(own)) {
    if (!environment[variable]) continue;
    const message = `${variable} is set, but each service needs a port of its own. Unset it, and set ${instead.join(', ')} where a port should be another one.`;
    throw new StackError('INVALID_SETTING', message);
  }
}

/** Each port is free until a service takes it: that two of ours want the same must be seen before. */
function refuseSharedPorts(definitions: readonly ServiceDefinition[], environment: NodeJS.ProcessEnv): void {
  const takenBy = new Map<number, string>();
  for (const { http, operations } of definitions) {
    for (const { variable, standard } of http === undefined ? [operations] : [http, operations]) {
      const port = portFromEnvironment(environment, variable) ?? standard;
      const other = takenBy.get(port);
      if (port !== 0 && other !== undefined) {
        const message = `Port ${port} is set by both ${other} and ${variable}. Set one of them to another port.`;
        throw new StackError('INVALID_SETTING', message);
      }
      takenBy.set(port, variable);
    }
  }
}

async function stopInReverse(list: readonly SupervisedService[]): Promise<void> {
  for (const service of list.toReversed()) await service.stop();
}
