import type { Bus } from '@baton/bus';
import { createClock, followDatabase } from '@baton/runtime';
import type { Logger } from 'pino';
import type { DataSource } from 'typeorm';
import { createAccess, type Access } from './access/access.js';
import { createArchiver, type Archiver } from './archive/archive.service.js';
import { createExporter, type Exporter } from './archive/export.service.js';
import { AgentService } from './agents/agent.service.js';
import { AgentOperations } from './agents/agent-operations.service.js';
import { AgentRecords } from './agents/agent-records.service.js';
import { AuditLog } from './audit/audit-log.service.js';
import { createSealer } from './audit/seal.service.js';
import { CallsService } from './agents/calls.service.js';
import { CompletionsService } from './agents/completions.service.js';
import { FleetAnnouncer } from './agents/fleet.events.js';
import { GreetingService } from './agents/greeting.service.js';
import { HintService } from './agents/hint.service.js';
import { InboxService } from './agents/inbox.service.js';
import { LooksService } from './agents/looks.service.js';
import { OfferService } from './agents/offer.service.js';
import { RedistributionService } from './agents/redistribution.service.js';
import { ReportService } from './agents/report.service.js';
import { SessionService } from './agents/session.service.js';
import { TaskVerbsService } from './agents/task-verbs.service.js';
import type { Config } from './config.js';
import { readTime } from './database/database.js';
import { createMint } from './database/mint-id.js';
import { createPools, type Pools } from './database/pools.js';
import { ChoiceService } from './distribution/choice.service.js';
import { DistributionService } from './distribution/distribution.service.js';
import { createEnrolment, type Enrolment } from './enrolment/enrolment.js';
import type { Loop } from './loop.js';
import { OperationRunner } from './operations/operation.runner.service.js';
import { OperationService } from './operations/operation.service.js';
import { EventHistory } from './history/event-history.service.js';
import { OutcomeService } from './outcomes/outcome.service.js';
import { OutboxService } from './outbox/outbox.service.js';
import { LeaseService } from './shards/lease.service.js';
import { PolicyService } from './policies/policy.service.js';
import { Cursors } from './tasks/cursor.js';
import { DecisionService } from './tasks/decision.service.js';
import { ListService } from './tasks/list.service.js';
import { TaskReading } from './tasks/task.reading.service.js';
import { RelativesService } from './tasks/relatives.service.js';
import { TaskService } from './tasks/task.service.js';
import { TraceService } from './trace/trace.service.js';
import { BudgetService } from './usage/budget.service.js';
import { UsageService } from './usage/usage.service.js';
import type { AdmissionService } from './types/admission.service.js';
import type { TypeService } from './types/type.service.js';
import { createTypes } from './types/types.js';
import { createMaintenance } from './waiting/maintenance.service.js';
import { ReactorService } from './waiting/reactor.service.js';
import { createReconciler, recheckNewWaits } from './waiting/reconciler.service.js';
import { StealingService } from './waiting/stealing.service.js';
import { createTimer } from './waiting/timer.service.js';
import { EventStreams } from './watching/event-stream.service.js';
import { WatchService } from './watching/watch.service.js';
import { tellSuppressedTo } from './write-path/audit.service.js';
import { WritePath } from './write-path/write-path.service.js';

/** Everything task-service is made of, wired by hand: what needs what is read here, top to bottom. */
export type Services = {
  readonly bus: Bus;
  readonly pools: Pools;
  readonly dataSource: DataSource;
  readonly writePath: WritePath;
  readonly outbox: OutboxService;
  readonly offers: OfferService;
  readonly inbox: InboxService;
  readonly reconciler: Loop;
  readonly budgets: BudgetService;
  readonly archiver: Archiver;
  readonly exporter: Exporter;
  readonly loops: readonly Loop[];
  readonly tasks: TaskService;
  readonly types: TypeService;
  readonly policies: PolicyService;
  readonly admission: AdmissionService;
  readonly reading: TaskReading;
  readonly choices: ChoiceService;
  readonly decisions: DecisionService;
  readonly watches: WatchService;
  readonly streams: EventStreams;
  readonly access: Access;
  readonly enrolment: Enrolment;
  readonly lists: ListService;
  readonly relatives: RelativesService;
  readonly traces: TraceService;
  readonly bulk: OperationService;
  readonly agents: AgentService;
  readonly operations: AgentOperations;
  readonly records: AgentRecords;
  readonly auditLog: AuditLog;
  readonly completions: CompletionsService;
  readonly greetings: GreetingService;
  readonly sessions: SessionService;
  readonly verbs: TaskVerbsService;
  readonly reports: ReportService;
  readonly calls: CallsService;
  readonly looks: LooksService;
  readonly distribution: DistributionService;
  readonly leases: LeaseService;
  readonly reactor: ReactorService;
  readonly outcomes: OutcomeService;
  readonly history: EventHistory;
};

type Opened = Pick<Services, 'dataSource' | 'bus'> & {
  readonly cursorKey: string;
  /** Aborted when the process is to stop. */
  readonly signal: AbortSignal;
};

/** Wires everything over a database that is open. */
export async function createServices(
  config: Config,
  { dataSource, bus, cursorKey, signal }: Opened,
  logger: Logger,
): Promise<Services> {
  const pools = createPools(config.DATABASE_URL, config.BATON_LANES, (error) =>
    logger.warn({ error: error.message }, 'a database connection was lost'),
  );
  const pool = pools.other;
  tellSuppressedTo(logger);
  const clock = createClock(logger);
  await followDatabase(clock, () => readTime(pool), signal);
  const mint = createMint();
  const mintId = () => mint(clock.now());
  const outbox = new OutboxService(bus, pools.tidy, logger);
  const writePath = new WritePath(pools.lanes, outbox, logger, config.BATON_LANES);
  const announcer = new FleetAnnouncer(bus, pool, outbox, logger);
  const offers = new OfferService(bus, pool, writePath, logger);
  const inbox = new InboxService(bus, pool, logger);
  const redistribution = new RedistributionService(pool, writePath);
  const sessions = new SessionService(
    pool,
    announcer,
    writePath,
    logger,
    config.BATON_AGENT_ENROLMENT,
    redistribution,
  );
  const leases = new LeaseService(pool);
  const policies = new PolicyService(pool, bus);
  const types = await createTypes({ policies, pool, bus, logger, cursors: new Cursors(cursorKey, 'types') });
  const { admission, holds } = types;
  const usage = new UsageService(pool, bus);
  const reading = new TaskReading(pool);
  const lists = new ListService(pools.lists, new Cursors(cursorKey, 'tasks'), () => clock.now());
  const operationRunner = new OperationRunner({ pool, lists, writePath, admission, logger });
  const retention = { databaseUrl: config.DATABASE_URL, logger };
  const archiver = createArchiver({
    ...retention,
    hotSeconds: config.BATON_RETENTION_HOT_DAYS * 86_400,
  });
  const exporter = createExporter({
    ...retention,
    keptSeconds: config.BATON_RETENTION_ARCHIVE_DAYS * 86_400,
    directory: config.BATON_ARCHIVE_DIRECTORY,
  });
  const budgets = new BudgetService(pool, bus, writePath, clock, logger);
  const completions = new CompletionsService(pools.tidy, logger);
  const agents = new AgentService(dataSource, pool, announcer, new Cursors(cursorKey, 'agents'));
  const reconciler = createReconciler(pool, writePath, budgets, logger);
  // Offers first: an agent should have its task before anybody hears that its slot is taken.
  const hints = new HintService(bus);
  const watches = new WatchService(pool, bus, () => clock.now());
  const keyCursors = new Cursors(cursorKey, 'keys');
  const access = createAccess({ pool, reading, cursors: keyCursors, mintId, logger }, config);
  const tasks = new TaskService(pool, writePath, admission, mintId, usage, access.service);
  const calls = new CallsService(pool, tasks, lists, admission, access.service);
  const decisions = new DecisionService(pool, bus, holds);
  for (const listener of [offers, hints, watches, inbox, holds, completions, recheckNewWaits(writePath)])
    writePath.onCommit(listener);
  return {
    bus,
    pools,
    dataSource,
    writePath,
    outbox,
    offers,
    inbox,
    reconciler,
    archiver,
    exporter,
    loops: [
      createTimer(pool, writePath, new StealingService(pool, bus, writePath, clock, logger), logger),
      createMaintenance(pool, config.DATABASE_URL, logger),
      archiver.loop,
      exporter.loop,
      reconciler,
      completions.loop,
      types.loop,
      operationRunner,
      access.tokens.loop,
      createSealer(pools.tidy, logger),
    ],
    tasks,
    types: types.service,
    policies,
    admission,
    reading,
    choices: new ChoiceService(pool, bus, writePath, holds),
    decisions,
    watches,
    streams: new EventStreams(watches, reading),
    access,
    enrolment: createEnrolment(
      { pool, announcer, cursors: new Cursors(cursorKey, 'enrolment-tokens'), mintId },
      config.BATON_NATS_AUTHORITY,
    ),
    lists,
    traces: new TraceService(pools.lists),
    relatives: new RelativesService(pool, new Cursors(cursorKey, 'relatives')),
    bulk: new OperationService(pool, lists, operationRunner, mintId, () => clock.now()),
    agents,
    operations: new AgentOperations(pool, bus, agents, announcer, redistribution, logger),
    records: new AgentRecords(
      pool,
      bus,
      agents,
      announcer,
      redistribution,
      lists,
      new Cursors(cursorKey, 'inbox'),
    ),
    auditLog: new AuditLog(pools.lists, new Cursors(cursorKey, 'audit')),
    completions,
    greetings: new GreetingService(pool, sessions, offers),
    sessions,
    budgets,
    verbs: new TaskVerbsService(pool, writePath, usage, admission, watches, access.service),
    reports: new ReportService(pool, access.service),
    calls,
    looks: new LooksService(access.service, reading, decisions, watches),
    distribution: new DistributionService(pool, writePath, leases, holds, clock),
    leases,
    reactor: new ReactorService(pool, writePath),
    // A crash of Postgres takes what was learned in the last half second with it, and never has it learned twice.
    outcomes: new OutcomeService(pools.tidy),
    history: new EventHistory(pool),
  };
}
