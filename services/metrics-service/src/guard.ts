import { actionOfRoute, DomainError, mayDo } from '@baton/contracts';
import { createAuthentication, firstKeyCheck, guardRoutes } from '@baton/runtime';
import type { Config } from './config.js';
import type { TaskServiceClient } from './task-service.client.js';

/**
 * Asks task-service whom the key or token of a request stands for, and takes the answer for 4 s. While it cannot be
 * asked only the first key is let in, where the configuration has it: others are answered `UNAVAILABLE`.
 */
export function guardReports(
  instance: Parameters<typeof guardRoutes>[0],
  { tasks, config }: { readonly tasks: Pick<TaskServiceClient, 'check'>; readonly config: Config },
): void {
  const firstKey = firstKeyCheck(config.BATON_ADMIN_KEY);
  guardRoutes(instance, {
    authentication: createAuthentication(async (token) => firstKey(token) ?? tasks.check(token)),
    actionOf: actionOfRoute,
    rates: config,
    authorize: ({ role }, action) => {
      if (mayDo(action, role)) return;
      throw new DomainError('FORBIDDEN', `A key of role ${role} may not do this (${action})`);
    },
  });
}
