import { ApiKeys1765800000000 } from './migrations/api-keys.js';
import { AuditSeals1766600000000 } from './migrations/audit-seals.js';
import { Delegation1764400000000 } from './migrations/delegation.js';
import { DeletedUsage1765200000000 } from './migrations/deleted-usage.js';
import { Enrolment1766500000000 } from './migrations/enrolment.js';
import { EventOrder1765500000000 } from './migrations/event-order.js';
import { Foundation1763800000000 } from './migrations/foundation.js';
import { History1764600000000 } from './migrations/history.js';
import { Lists1764100000000 } from './migrations/lists.js';
import { Operations1764110000000 } from './migrations/operations.js';
import { RemovedAgents1765100000000 } from './migrations/removed-agents.js';
import { SessionAge1764000000000 } from './migrations/session-age.js';
import { Workflows1764300000000 } from './migrations/workflows.js';
import { Outcomes1765300000000 } from './migrations/outcomes.js';
import { Policies1765310000000 } from './migrations/policies.js';
import { WaitLimits1764200000000 } from './migrations/wait-limits.js';
import { RareStates1765210000000 } from './migrations/rare-states.js';
import { ShardLeases1763900000000 } from './migrations/shard-leases.js';
import { TaskReports1766200000000 } from './migrations/task-reports.js';
import { TaskTypes1764500000000 } from './migrations/task-types.js';

/**
 * The migrations, oldest first; each name ends in the time it was written, by which TypeORM orders them. A large one
 * has a file of its own, a statement or two can stand here.
 */
export const MIGRATIONS = [
  Foundation1763800000000,
  ShardLeases1763900000000,
  SessionAge1764000000000,
  Lists1764100000000,
  Operations1764110000000,
  WaitLimits1764200000000,
  Workflows1764300000000,
  Delegation1764400000000,
  TaskTypes1764500000000,
  History1764600000000,
  RemovedAgents1765100000000,
  DeletedUsage1765200000000,
  RareStates1765210000000,
  Outcomes1765300000000,
  Policies1765310000000,
  EventOrder1765500000000,
  ApiKeys1765800000000,
  TaskReports1766200000000,
  Enrolment1766500000000,
  AuditSeals1766600000000,
];
