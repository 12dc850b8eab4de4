import type { RunningProcess } from '../process/start-process.js';
import { supervise, type Supervised } from '../process/supervise.js';
import { startPlanned, type ServiceContext, type ServicePlan } from './service-process.js';

/** A service that is started again whenever it ends without being asked to. */
export interface SupervisedService extends Supervised {
  readonly name: string;
  readonly httpUrl: string | undefined;
  readonly operationsUrl: string;
}

/** Watches over a started service. */
export function superviseService(
  plan: ServicePlan,
  first: RunningProcess,
  context: { readonly stack: ServiceContext['stack']; readonly report: (line: string) => void },
): SupervisedService {
  const { name, httpUrl, operationsUrl } = plan;
  const startAgain = () => startPlanned(plan, context.stack);
  return { name, httpUrl, operationsUrl, ...supervise({ name, first, startAgain, report: context.report }) };
}
